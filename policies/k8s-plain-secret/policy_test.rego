package sluice.kubernetes.plain_secret_test

import data.sluice.kubernetes.plain_secret

cipher := "ENC[AES256_GCM,data:p673w==,iv:YY=,tag:UQ==,type:str]"

given(object) := {"resource": {"id": {"kind": "Secret", "name": "db"}, "object": object}}

with_sops(content) := given(object.union(content, {"sops": {"mac": cipher}}))

annotated(value) := given({"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": value}}})

places(found) := {finding.at | some finding in found}

test_allows_a_secret_without_content if {
	every object in [{}, {"data": null}, {"data": {}, "stringData": {}}, {"type": "kubernetes.io/service-account-token"}] {
		count(plain_secret.deny) == 0 with input as given(object)
	}
}

test_allows_sops if {
	document := with_sops({"data": {"password": cipher, "empty": "", "none": null}, "stringData": {"user": cipher}})
	count(plain_secret.deny) == 0 with input as document
}

test_allows_sops_without_content if {
	count(plain_secret.deny) == 0 with input as with_sops({"data": null})
}

test_allows_a_deletion if {
	count(plain_secret.deny) == 0 with input as given(null)
}

test_allows_a_sealed_secret if {
	object := {"spec": {"encryptedData": {"password": "AgBy3i4OJSWK"}, "template": {"metadata": {"name": "db"}}}}
	document := {"resource": {"id": {"kind": "SealedSecret", "name": "db"}, "object": object}}
	count(plain_secret.deny) == 0 with input as document
}

test_denies_data_and_string_data if {
	found := plain_secret.deny with input as given({"data": {"password": "aHVudGVyMg=="}, "stringData": {"user": "ada"}})
	found == {
		{"message": `Secret "db" is written in plain`, "at": "/data"},
		{"message": `Secret "db" is written in plain`, "at": "/stringData"},
	}
}

test_denies_content_of_other_types if {
	every content in [{"empty": ""}, "aHVudGVyMg==", "", ["hunter2"], [], 1, true, false] {
		found := plain_secret.deny with input as given({"data": content})
		places(found) == {"/data"}
	}
}

test_denies_a_sealed_secret_with_plain_content if {
	document := {"resource": {"id": {"kind": "SealedSecret", "name": "db"}, "object": {"data": {"password": "eA=="}}}}
	found := plain_secret.deny with input as document
	found == {{"message": `SealedSecret "db" is written in plain`, "at": "/data"}}
}

test_denies_ciphertext_without_sops if {
	every sops in [null, {}, true, {"mac": "x"}, {"mac": null}, {"mac": "ENC[x]"}] {
		found := plain_secret.deny with input as given({"data": {"password": cipher}, "sops": sops})
		places(found) == {"/data"}
	}
}

test_denies_a_plain_value_beside_encrypted_ones if {
	found := plain_secret.deny with input as with_sops({"data": {"password": cipher, "user": "YWRh"}})
	found == {{"message": `value "user" of Secret "db" is not encrypted`, "at": "/data/user"}}
}

test_denies_values_that_only_look_encrypted if {
	every value in ["ENC[", "ENC[]", "ENC[hunter2]", concat("", ["hunter2 ", cipher]), concat("", [cipher, "\nhunter2"]), 1, true, [cipher]] {
		found := plain_secret.deny with input as with_sops({"stringData": {"password": value}})
		places(found) == {"/stringData/password"}
	}
}

test_points_at_keys_with_slashes_and_tildes if {
	found := plain_secret.deny with input as with_sops({"data": {"a/b~c": "eA=="}})
	places(found) == {"/data/a~1b~0c"}
}

test_denies_sops_content_of_other_types if {
	every content in ["hunter2", 1, false, [cipher], ["hunter2"]] {
		found := plain_secret.deny with input as with_sops({"data": content})
		found == {{"message": `data of Secret "db" cannot be read`, "at": "/data"}}
	}
}

test_denies_the_copy_in_an_annotation if {
	every value in [`{"data":{"password":"aHVudGVyMg=="}}`, {"data": {}}, true] {
		found := plain_secret.deny with input as annotated(value)
		found == {{
			"message": `an annotation of Secret "db" holds a copy of it`,
			"at": "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration",
		}}
	}
}

test_allows_an_encrypted_copy_in_an_annotation if {
	every value in [cipher, "", null] {
		count(plain_secret.deny) == 0 with input as annotated(value)
	}
}
