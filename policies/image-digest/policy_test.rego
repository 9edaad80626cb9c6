package sluice.image.digest_test

import data.sluice.image.digest

sum := "4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865"

given(type, container) := {"pod": {
	"at": "/spec",
	"spec": {},
	"containers": [{"at": "/spec/containers/0", "type": type, "spec": container}],
}}

volume(image) := {"pod": {"at": "/spec", "spec": {"volumes": [{"name": "model", "image": image}]}, "containers": []}}

test_allows_a_digest_with_and_without_a_tag if {
	every image in ["web@sha256:%s", "web:1.4@sha256:%s", "host:5000/shop/web:1.4@sha256:%s"] {
		container := {"name": "web", "image": sprintf(image, [sum])}
		count(digest.deny) == 0 with input as given("container", container)
	}
}

test_allows_a_deletion if {
	count(digest.deny) == 0 with input as {"pod": null}
}

test_allows_an_image_volume_with_a_digest if {
	count(digest.deny) == 0 with input as volume({"reference": sprintf("model@sha256:%s", [sum])})
}

test_allows_other_volumes if {
	count(digest.deny) == 0 with input as volume(null)
}

test_denies_a_tag_in_containers_of_every_type if {
	every type in ["container", "init", "ephemeral"] {
		found := digest.deny with input as given(type, {"name": "web", "image": "web:1.4"})
		found == {{"message": `image "web:1.4" has no digest`, "at": "/spec/containers/0/image"}}
	}
}

test_denies_digests_that_are_not_whole if {
	every image in [
		"web@sha256:4355a46b",
		"web@sha256:",
		"web@",
		concat("", ["web@sha256:", upper(sum)]),
		concat("", ["web@sha256:", sum, "0"]),
		concat("", ["web@sha256:", sum, "\n"]),
		concat("", ["web@md5:", sum]),
		concat("", ["web@x@sha256:", sum]),
		concat("", ["@sha256:", sum]),
		concat("", ["web:1.4 @sha256:", sum]),
	] {
		found := digest.deny with input as given("container", {"name": "web", "image": image})
		some finding in found
		endswith(finding.message, "has no valid sha256 digest")
	}
}

test_denies_the_digest_as_a_tag if {
	image := concat("", ["web:sha256-", sum])
	count(digest.deny) == 1 with input as given("container", {"name": "web", "image": image})
}

test_denies_an_image_that_is_missing_or_no_text if {
	every container in [{"name": "web"}, {"name": "web", "image": null}, {"name": "web", "image": ["web"]}] {
		found := digest.deny with input as given("container", container)
		found == {{"message": `image of container "web" is not named`, "at": "/spec/containers/0/image"}}
	}
}

test_denies_an_empty_image_of_a_container_without_a_name if {
	empty := digest.deny with input as given("container", {"image": ""})
	{finding.message | some finding in empty} == {`image "" has no digest`}
	missing := digest.deny with input as given("container", {})
	{finding.message | some finding in missing} == {`image of container "/spec/containers/0" is not named`}
}

test_denies_image_volumes_without_a_digest if {
	found := digest.deny with input as volume({"reference": "model:3"})
	found == {{"message": `image "model:3" has no digest`, "at": "/spec/volumes/0/image/reference"}}
	every image in [{}, "model:3", {"reference": 3}] {
		unnamed := digest.deny with input as volume(image)
		{finding.message | some finding in unnamed} == {"image of volume 0 is not named"}
	}
}
