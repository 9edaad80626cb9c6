# METADATA
# title: Images name a version
# description: >-
#   An image without a tag is "latest", and latest is another program tomorrow: nobody can say what runs, and a
#   rollback brings nothing back. A digest is a version; a tag beside it is only a label.
# custom:
#   id: image-latest
#   level: medium
#   fix: Name a version, as in web:1.4.2, or better a digest.
#   controls: [SOC2 CC8.1, ISO27001 A.8.9]
#   match:
#     kinds: [Pod, PodTemplate, ReplicationController, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob]
package sluice.image.latest

# The place to edit: tags that say "whatever is newest", in small letters.
moving := {"latest"}

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

fault(reference) := "has no version" if {
	is_string(reference)
	not has_digest(reference)
	not tag(reference)
}

fault(reference) := sprintf("has the moving tag %q", [tag(reference)]) if {
	is_string(reference)
	not has_digest(reference)
	lower(tag(reference)) in moving
}

has_digest(reference) if regex.match(`^[^@\s]+@sha256:[0-9a-f]{64}$`, reference)

# The tag stands after the last slash: in host:5000/web the number is a port. A broken digest does not count.
tag(reference) := found if {
	parts := split(split(reference, "@")[0], "/")
	[_, found] := split(parts[count(parts) - 1], ":")
	count(found) <= 128 # {0,127} in the expression would take longer to compile than all else here takes to run
	regex.match(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`, found)
}

# A reference that is missing or no text is called by its place, so that no finding is lost.
shown(image) := sprintf("%q", [image.reference]) if is_string(image.reference)

else := sprintf("of %s", [image.of])

called(container) := container.spec.name if is_string(container.spec.name)

else := container.at
