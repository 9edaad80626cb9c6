// Command referee checks an exported log with Go's own packages, which share no code with Sluice.
//
//	referee VKEY FOLDER...
//	referee VKEY -witnessed FILE WITNESS-VKEY...
//	referee VKEY -bundle FOLDER
//
// The last is for an auditor's bundle: see bundle.go.
//
// Each folder holds checkpoint, tile/... (C2SP layout) and proofs.json: {"old": [checkpoint], "inclusion": [{"index",
// "hashes"}], "consistency": [[hash]]}. Leaves come from the entry bundles. Exit status 1 and a line for what is wrong.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type inclusion struct {
	Index  int64    `json:"index"`
	Hashes []string `json:"hashes"`
}

type proofs struct {
	Old         []string    `json:"old"`
	Inclusion   []inclusion `json:"inclusion"`
	Consistency [][]string  `json:"consistency"`
}

func main() {
	verifier, err := note.NewVerifier(os.Args[1])
	check(err, "verifier key")
	if len(os.Args) > 3 && os.Args[2] == "-witnessed" {
		witnessed(string(read("", os.Args[3])), verifier, os.Args[4:])
		return
	}
	if len(os.Args) == 4 && os.Args[2] == "-bundle" {
		bundled(os.Args[3], note.VerifierList(verifier))
		return
	}
	for _, folder := range os.Args[2:] {
		judge(folder, note.VerifierList(verifier))
	}
}

func judge(folder string, known note.Verifiers) {
	head := openTree(string(read(folder, "checkpoint")), known)
	leaves := readLeaves(folder, head.N)
	hashes := make([]tlog.Hash, len(leaves))
	for i, leaf := range leaves {
		hashes[i] = tlog.RecordHash(leaf)
	}
	reader := treeOf(hashes)
	root, err := tlog.TreeHash(head.N, reader)
	check(err, "tree hash")
	require(root == head.Hash, "%s: root of %d leaves differs", folder, head.N)
	checkTiles(folder, head.N, reader)

	var p proofs
	check(json.Unmarshal(read(folder, "proofs.json"), &p), "proofs.json")
	for _, each := range p.Inclusion {
		leaf := tlog.RecordHash(leaves[each.Index])
		check(tlog.CheckRecord(hashesOf(each.Hashes), head.N, head.Hash, each.Index, leaf), "inclusion")
	}
	for i, text := range p.Old {
		old := openTree(text, known)
		check(tlog.CheckTree(hashesOf(p.Consistency[i]), head.N, head.Hash, old.N, old.Hash), "consistency")
	}
	fmt.Printf("size %d: root, %d inclusion and %d consistency proofs\n", head.N, len(p.Inclusion), len(p.Old))
}

// treeOf computes every hash above the given ones.
func treeOf(hashes []tlog.Hash) tlog.HashReader {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			out[i] = stored[x]
		}
		return out, nil
	})
	for i, hash := range hashes {
		more, err := tlog.StoredHashesForRecordHash(int64(i), hash, reader)
		check(err, "stored hashes")
		stored = append(stored, more...)
	}
	return reader
}

// checkTiles compares every tile with Go's; Go writes tile/8/L/N where C2SP writes tile/L/N.
func checkTiles(folder string, size int64, reader tlog.HashReader) {
	for _, tile := range tlog.NewTiles(8, 0, size) {
		want, err := tlog.ReadTileData(tile, reader)
		check(err, "tile data")
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		require(string(read(folder, path)) == string(want), "%s: %s differs", folder, path)
	}
}

func openTree(text string, known note.Verifiers) tlog.Tree {
	opened, err := note.Open([]byte(text), known)
	check(err, "checkpoint")
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err, "size")
	return tlog.Tree{N: size, Hash: hashesOf(lines[2:3])[0]}
}

func readLeaves(folder string, size int64) [][]byte {
	var leaves [][]byte
	for n := int64(0); n*256 < size; n++ {
		path := fmt.Sprintf("tile/entries/%03d", n)
		if width := size - n*256; width < 256 {
			path = fmt.Sprintf("%s.p/%d", path, width)
		}
		for bundle := read(folder, path); len(bundle) > 0; {
			length := int(binary.BigEndian.Uint16(bundle))
			leaves = append(leaves, bundle[2:2+length])
			bundle = bundle[2+length:]
		}
	}
	require(int64(len(leaves)) == size, "%s: %d leaves, not %d", folder, len(leaves), size)
	return leaves
}

func hashesOf(texts []string) []tlog.Hash {
	hashes := make([]tlog.Hash, len(texts))
	for i, text := range texts {
		bytes, err := base64.StdEncoding.DecodeString(text)
		check(err, "base64")
		require(copy(hashes[i][:], bytes) == tlog.HashSize, "%q is not a hash", text)
	}
	return hashes
}

func read(folder, path string) []byte {
	bytes, err := os.ReadFile(filepath.Join(folder, path))
	check(err, path)
	return bytes
}

func check(err error, what string) {
	require(err == nil, "%s: %v", what, err)
}

func require(ok bool, format string, values ...any) {
	if !ok {
		fmt.Fprintf(os.Stderr, format+"\n", values...)
		os.Exit(1)
	}
}
