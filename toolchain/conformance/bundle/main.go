// Command bundle reads an OPA bundle as OPA does when it is started with a verification key, and prints its revision.
// It is used by tests only.
//
// Exit codes: 0 the signature holds, 1 it does not, 2 usage.
package main

import (
	"fmt"
	"os"

	"github.com/open-policy-agent/opa/v1/bundle"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: bundle FILE.tar.gz PUBLIC-KEY.pem KEY-ID")
		os.Exit(2)
	}
	revision, err := read(os.Args[1], os.Args[2], os.Args[3])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(revision)
}

func read(file, keyFile, keyID string) (string, error) {
	in, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer in.Close()
	pem, err := os.ReadFile(keyFile)
	if err != nil {
		return "", err
	}
	keys := map[string]*bundle.KeyConfig{keyID: {Key: string(pem), Algorithm: "RS256"}}
	loaded, err := bundle.NewReader(in).WithBundleVerificationConfig(bundle.NewVerificationConfig(keys, keyID, "", nil)).Read()
	if err != nil {
		return "", err
	}
	return loaded.Manifest.Revision, nil
}
