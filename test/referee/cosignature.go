package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// newCosignatureVerifier reads a verifier key of type 0x04. Go's own note package knows type 0x01 only, so the check of
// C2SP tlog-cosignature is written here once more, from its text.
func newCosignatureVerifier(vkey string) note.Verifier {
	name, rest, _ := strings.Cut(vkey, "+")
	id, encoded, _ := strings.Cut(rest, "+")
	key, err := base64.StdEncoding.DecodeString(encoded)
	check(err, "witness key")
	require(len(key) == 1+ed25519.PublicKeySize && key[0] == 4, "%s is no key of a witness", vkey)
	var hash uint32
	_, err = fmt.Sscanf(id, "%08x", &hash)
	check(err, "witness key id")
	return cosignatureVerifier{name, hash, key[1:]}
}

type cosignatureVerifier struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (v cosignatureVerifier) Name() string    { return v.name }
func (v cosignatureVerifier) KeyHash() uint32 { return v.hash }

func (v cosignatureVerifier) Verify(text, signature []byte) bool {
	if len(signature) != 8+ed25519.SignatureSize {
		return false
	}
	seconds := binary.BigEndian.Uint64(signature)
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", seconds, text)
	return ed25519.Verify(v.key, []byte(signed), signature[8:])
}

// witnessed requires a note to carry a cosignature of every one of these keys, beside the log's own signature.
func witnessed(text string, log note.Verifier, vkeys []string) {
	verifiers := []note.Verifier{log}
	for _, vkey := range vkeys {
		verifiers = append(verifiers, newCosignatureVerifier(vkey))
	}
	opened, err := note.Open([]byte(text), note.VerifierList(verifiers...))
	check(err, "cosigned checkpoint")
	require(len(opened.Sigs) == len(verifiers), "%d of %d signatures", len(opened.Sigs), len(verifiers))
	fmt.Printf("checkpoint with %d cosignatures\n", len(vkeys))
}
