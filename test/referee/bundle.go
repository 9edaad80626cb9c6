package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// bundled checks an auditor's bundle: both checkpoints, the roots that the tiles give, the consistency proof, and that every
// row is of an entry whose leaf hashes into the tree, from the first of the period to the last and none left out.
func bundled(folder string, known note.Verifiers) {
	head := openTree(string(read(folder, "checkpoint")), known)
	start := openTree(string(read(folder, "checkpoint.start")), known)
	hashes := make([]tlog.Hash, 0, head.N)
	for n := int64(0); n*256 < head.N; n++ {
		data := read(folder, tilePath("0", n, head.N))
		for ; len(data) >= tlog.HashSize; data = data[tlog.HashSize:] {
			hashes = append(hashes, tlog.Hash(data[:tlog.HashSize]))
		}
	}
	require(int64(len(hashes)) == head.N, "%d hashes, not %d", len(hashes), head.N)
	reader := treeOf(hashes)
	for _, tree := range []tlog.Tree{head, start} {
		root, err := tlog.TreeHash(tree.N, reader)
		check(err, "tree hash")
		require(root == tree.Hash, "root of %d leaves differs", tree.N)
	}
	checkTiles(folder, head.N, reader)
	if start.N > 0 {
		proof := hashesOf(strings.Fields(string(read(folder, "consistency"))))
		check(tlog.CheckTree(proof, head.N, head.Hash, start.N, start.Hash), "consistency")
	}
	next := start.N
	for _, line := range bytes.Split(bytes.TrimSpace(read(folder, "rows.ndjson")), []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		var row struct {
			Index    int64  `json:"index"`
			LeafHash string `json:"leafHash"`
		}
		check(json.Unmarshal(line, &row), "row")
		require(row.Index == next, "row %d where %d is due", row.Index, next)
		leaf := tlog.RecordHash(entry(folder, row.Index, head.N))
		require(leaf == hashes[row.Index] && leaf == hashesOf([]string{row.LeafHash})[0], "row %d is not in the tree", row.Index)
		next++
	}
	fmt.Printf("bundle of entries %d to %d of %d: roots, consistency and rows\n", start.N, next, head.N)
}

func tilePath(level string, n, size int64) string {
	path := fmt.Sprintf("tile/%s/%03d", level, n)
	if width := size - n*256; width < 256 {
		path = fmt.Sprintf("%s.p/%d", path, width)
	}
	return path
}

func entry(folder string, index, size int64) []byte {
	bundle, err := os.ReadFile(filepath.Join(folder, tilePath("entries", index/256, size)))
	check(err, "entry bundle")
	for skip := index % 256; skip > 0; skip-- {
		bundle = bundle[2+int(binary.BigEndian.Uint16(bundle)):]
	}
	return bundle[2 : 2+int(binary.BigEndian.Uint16(bundle))]
}
