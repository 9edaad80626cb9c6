# METADATA
# title: Secrets are not written in plain
# description: >-
#   base64 is not encryption, and git forgets nothing. A Secret passes without content or with every value
#   encrypted by SOPS; a SealedSecret holds ciphertext by design.
# custom:
#   id: k8s-plain-secret
#   level: critical
#   waivable: false
#   fix: >-
#     Encrypt it with sops or kubeseal, or name it by an ExternalSecret. Then change the password: whoever can
#     read the repository has it.
#   controls: [SOC2 CC6.1, ISO27001 A.5.17, ISO27001 A.8.24]
#   match: {kinds: [Secret, SealedSecret]}
package sluice.kubernetes.plain_secret

ciphertext := `^ENC\[AES256_GCM,data:[A-Za-z0-9+/]+={0,2},iv:[A-Za-z0-9+/]+={0,2},tag:[A-Za-z0-9+/]+={0,2},type:[a-z]+\]$`

# Applying by hand leaves a copy of the whole object here, values included.
copy := "kubectl.kubernetes.io/last-applied-configuration"

deny contains {"message": message, "at": at} if {
	not by_sops
	some section in ["data", "stringData"]
	values := input.resource.object[section]
	not values in [null, {}]
	message := sprintf("%s %q is written in plain", [input.resource.id.kind, input.resource.id.name])
	at := concat("/", ["", section])
}

deny contains {"message": message, "at": at} if {
	by_sops
	some section in ["data", "stringData"]
	is_object(input.resource.object[section])
	some key, value in input.resource.object[section]
	not encrypted(value)
	message := sprintf("value %q of %s %q is not encrypted", [key, input.resource.id.kind, input.resource.id.name])
	at := sprintf("/%s/%s", [section, escaped(key)])
}

deny contains {"message": message, "at": at} if {
	by_sops
	some section in ["data", "stringData"]
	values := input.resource.object[section]
	not type_name(values) in {"object", "null"}
	message := sprintf("%s of %s %q cannot be read", [section, input.resource.id.kind, input.resource.id.name])
	at := concat("/", ["", section])
}

deny contains {"message": message, "at": at} if {
	value := input.resource.object.metadata.annotations[copy]
	not encrypted(value)
	message := sprintf("an annotation of %s %q holds a copy of it", [input.resource.id.kind, input.resource.id.name])
	at := concat("/", ["/metadata/annotations", escaped(copy)])
}

# SOPS leaves its own key at the top, with a checksum that is encrypted too.
by_sops if is_ciphertext(input.resource.object.sops.mac)

is_ciphertext(value) if {
	is_string(value)
	regex.match(ciphertext, value)
}

encrypted(value) if is_ciphertext(value)

# SOPS leaves these two as they are: there is nothing to hide.
encrypted(value) if value in {null, ""}

# RFC 6901, section 3.
escaped(key) := replace(replace(key, "~", "~0"), "/", "~1")
