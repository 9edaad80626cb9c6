package main

import (
	"context"
	"errors"
	"net"
	"net/http"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

var errNoNetwork = errors.New("the toolchain has no network")

// refuseNetwork replaces the built-ins that would reach out. Under the lock they could not; without it
// (--sandbox=none) they must not. A test can still put its own function in their place: `with http.send as mock`.
func refuseNetwork() {
	for _, name := range []string{ast.HTTPSend.Name, ast.NetLookupIPAddr.Name} {
		topdown.RegisterBuiltinFunc(name, func(topdown.BuiltinContext, []*ast.Term, func(*ast.Term) error) error {
			return errNoNetwork
		})
	}
	refuse := func(context.Context, string, string) (net.Conn, error) { return nil, errNoNetwork }
	http.DefaultTransport = &http.Transport{DialContext: refuse, DialTLSContext: refuse}
}
