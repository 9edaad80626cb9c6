package sluice.image.latest_test

import data.sluice.image.latest

sum := "4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865"

given(container) := {"pod": {
	"at": "/spec",
	"spec": {},
	"containers": [{"at": "/spec/containers/0", "type": "init", "spec": container}],
}}

volume(image) := {"pod": {"at": "/spec", "spec": {"volumes": [{"name": "model", "image": image}]}, "containers": []}}

test_allows_versions if {
	every image in ["web:1.4.2", "host:5000/web:1.4", "host:5000/a/b/web:v1_2-3", "web:latest-1.4"] {
		count(latest.deny) == 0 with input as given({"name": "web", "image": image})
	}
}

test_allows_a_digest_whatever_its_tag if {
	every image in ["web@sha256:%s", "web:latest@sha256:%s", "host:5000/web@sha256:%s"] {
		count(latest.deny) == 0 with input as given({"name": "web", "image": sprintf(image, [sum])})
	}
}

test_allows_a_deletion if {
	count(latest.deny) == 0 with input as {"pod": null}
}

test_allows_volumes_without_an_image if {
	count(latest.deny) == 0 with input as volume(null)
}

test_denies_latest if {
	found := latest.deny with input as given({"name": "web", "image": "web:latest"})
	found == {{"message": `image "web:latest" has the moving tag "latest"`, "at": "/spec/containers/0/image"}}
}

test_denies_latest_in_capitals_and_behind_a_broken_digest if {
	every image in ["web:LATEST", "host:5000/web:Latest", "web:latest@sha256:4355"] {
		found := latest.deny with input as given({"name": "web", "image": image})
		some finding in found
		contains(finding.message, "has the moving tag")
	}
}

test_denies_images_without_a_version if {
	every image in ["web", "host:5000/web", "host:5000/shop/web", "web:", "", "web@sha256:4355", "web:a:b", "web:-1", "web:1 "] {
		found := latest.deny with input as given({"name": "web", "image": image})
		{finding.message | some finding in found} == {sprintf("image %q has no version", [image])}
	}
}

test_denies_an_image_that_is_missing_or_no_text if {
	every container in [{"name": "web"}, {"name": "web", "image": null}, {"name": "web", "image": 1}] {
		found := latest.deny with input as given(container)
		found == {{"message": `image of container "web" is not named`, "at": "/spec/containers/0/image"}}
	}
	unnamed := latest.deny with input as given({})
	{finding.message | some finding in unnamed} == {`image of container "/spec/containers/0" is not named`}
}

test_denies_image_volumes_without_a_version if {
	found := latest.deny with input as volume({"reference": "host:5000/model"})
	found == {{"message": `image "host:5000/model" has no version`, "at": "/spec/volumes/0/image/reference"}}
	every image in [{}, "model:3"] {
		unnamed := latest.deny with input as volume(image)
		{finding.message | some finding in unnamed} == {"image of volume 0 is not named"}
	}
}
