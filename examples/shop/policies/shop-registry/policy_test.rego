package shop.registry_test

import data.shop.registry

given(image) := {"pod": {"containers": [{
	"at": "/spec/containers/0",
	"type": "container",
	"spec": {"name": "web", "image": image},
}]}}

test_allows_the_own_registry if {
	count(registry.deny) == 0 with input as given("registry.example/web:1.4")
}

test_denies_every_other if {
	every image in ["web:1.4", "registry.example.org/web:1.4", "other.example/registry.example/web", null, 1] {
		count(registry.deny) == 1 with input as given(image)
	}
}
