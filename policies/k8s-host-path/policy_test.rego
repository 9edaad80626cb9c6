package sluice.kubernetes.host_path_test

import data.sluice.kubernetes.host_path

given(volumes) := {
	"resource": {"id": {"kind": "DaemonSet", "name": "agent"}, "object": {}},
	"pod": {"at": "/spec/template/spec", "spec": {"volumes": volumes}, "containers": []},
}

persistent(spec) := {
	"resource": {"id": {"kind": "PersistentVolume", "name": "disk"}, "object": {"spec": spec}},
	"pod": null,
}

test_allows_other_volumes if {
	volumes := [{"name": "a", "emptyDir": {}}, {"name": "b", "secret": {"secretName": "c"}}, {"name": "d", "hostPath": null}]
	count(host_path.deny) == 0 with input as given(volumes)
}

test_allows_no_volumes if {
	count(host_path.deny) == 0 with input as given(null)
}

test_allows_a_deletion if {
	document := {"resource": {"id": {"kind": "PersistentVolume"}, "object": null}, "pod": null}
	count(host_path.deny) == 0 with input as document
}

test_denies_a_host_path if {
	found := host_path.deny with input as given([{"name": "a", "emptyDir": {}}, {"name": "run", "hostPath": {"path": "/run"}}])
	found == {{
		"message": `volume "run" opens /run of the node`,
		"at": "/spec/template/spec/volumes/1/hostPath",
	}}
}

test_denies_host_paths_of_other_types if {
	every value in [{}, "/run", [], false] {
		found := host_path.deny with input as given([{"name": "run", "hostPath": value}])
		some finding in found
		finding.message == `volume "run" opens a folder of the node`
	}
}

test_denies_a_volume_without_a_name if {
	found := host_path.deny with input as given([{"hostPath": {"path": "/"}}])
	some finding in found
	finding.message == `volume "0" opens / of the node`
}

test_denies_volumes_that_cannot_be_read if {
	unlisted := host_path.deny with input as given("/run:/run")
	unlisted == {{"message": "volumes is not a list", "at": "/spec/template/spec/volumes"}}
	text := host_path.deny with input as given(["/run"])
	text == {{"message": "volume 0 cannot be read", "at": "/spec/template/spec/volumes/0"}}
	keyed := host_path.deny with input as given({"run": {"hostPath": {"path": "/run"}}})
	count(keyed) == 2
}

test_denies_a_persistent_volume_on_the_node if {
	found := host_path.deny with input as persistent({"hostPath": {"path": "/etc"}})
	found == {{"message": `PersistentVolume "disk" opens /etc of the node`, "at": "/spec/hostPath"}}
}

test_allows_other_persistent_volumes if {
	count(host_path.deny) == 0 with input as persistent({"csi": {"driver": "disk.example"}})
}
