# METADATA
# title: Images are pinned by digest
# description: >-
#   A tag can be moved to other content after this change was approved; a digest cannot. Images of containers of
#   every type and image volumes need @sha256: with all 64 digits.
# custom:
#   id: image-digest
#   level: high
#   fix: Write the image as name:tag@sha256:DIGEST, with the digest your registry shows for that tag.
#   controls: [SOC2 CC6.8, SOC2 CC8.1, ISO27001 A.8.19]
#   match:
#     kinds: [Pod, PodTemplate, ReplicationController, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob]
package sluice.image.digest

deny contains {"message": message, "at": image.at} if {
	some image in images
	problem := fault(image.reference)
	message := sprintf("image %s %s", [shown(image), problem])
}

images := array.concat(
	[image |
		some container in input.pod.containers
		image := {
			"of": sprintf("container %q", [called(container)]),
			"at": concat("/", [container.at, "image"]),
			"reference": object.get(container.spec, "image", null),
		}
	],
	[image |
		some index, volume in input.pod.spec.volumes
		volume.image != null
		image := {
			"of": sprintf("volume %v", [index]),
			"at": sprintf("%s/volumes/%v/image/reference", [input.pod.at, index]),
			"reference": reference_of(volume.image),
		}
	],
)

reference_of(image) := image.reference if is_string(image.reference)

else := null

# What is wrong with a reference; undefined when nothing is.
fault(reference) := "is not named" if not is_string(reference)

fault(reference) := "has no digest" if {
	is_string(reference)
	not contains(reference, "@")
}

fault(reference) := "has no valid sha256 digest" if {
	is_string(reference)
	contains(reference, "@")
	not regex.match(`^[^@\s]+@sha256:[0-9a-f]{64}$`, reference)
}

# A reference that is missing or no text is called by its place, so that no finding is lost.
shown(image) := sprintf("%q", [image.reference]) if is_string(image.reference)

else := sprintf("of %s", [image.of])

called(container) := container.spec.name if is_string(container.spec.name)

else := container.at
