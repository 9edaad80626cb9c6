# METADATA
# title: Images come from the shop's own registry
# description: What lies in another registry was scanned by nobody here, and may be gone tomorrow.
# custom:
#   id: shop-registry
#   level: high
#   fix: Copy the image to registry.example/ and name it there.
#   match: {kinds: [Pod, Deployment, StatefulSet, DaemonSet, Job, CronJob]}
package shop.registry

deny contains {"message": message, "at": at} if {
	some container in input.pod.containers
	not from_here(container.spec)
	message := "the image is not from registry.example"
	at := concat("/", [container.at, "image"])
}

# Whatever is no text is not from here either.
from_here(spec) if {
	is_string(spec.image)
	startswith(spec.image, "registry.example/")
}
