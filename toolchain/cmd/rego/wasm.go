package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Sections of a WebAssembly binary (specification, 5.5.2) that are looked at.
const (
	sectionImport = 2
	sectionExport = 7
	sectionCode   = 10
	sectionData   = 11
)

const wasmHeader = "\x00asm\x01\x00\x00\x00"

var errWasm = errors.New("unexpected shape of the compiled module")

// hostBuiltins lists the built-ins that a module asks of its host, sorted. OPA keeps its list of native ones to
// itself, but each module has a function `builtins` that inserts name by name into an object:
//
//	i32.const <address of the name> · call · i64.const <id> · call · call
//
// so the names are read from there. Any other instruction than OPA's generator writes is an error, not a guess.
func hostBuiltins(module []byte) ([]string, error) {
	sections, err := wasmSections(module)
	if err != nil {
		return nil, err
	}
	index, err := exportedFunction(sections[sectionExport], "builtins")
	if err != nil {
		return nil, err
	}
	imported, err := importedFunctions(sections[sectionImport])
	if err != nil {
		return nil, err
	}
	body, err := functionBody(sections[sectionCode], index-imported)
	if err != nil {
		return nil, err
	}
	addresses, err := nameAddresses(body)
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, address := range addresses {
		name, err := cString(sections[sectionData], address)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// reader walks through bytes; after the first failure everything it returns is zero and failed is set.
type reader struct {
	rest   []byte
	failed bool
}

func (r *reader) take(count uint64) []byte {
	if r.failed || count > uint64(len(r.rest)) {
		r.failed, r.rest = true, nil
		return nil
	}
	taken := r.rest[:count]
	r.rest = r.rest[count:]
	return taken
}

func (r *reader) octet() byte {
	if taken := r.take(1); taken != nil {
		return taken[0]
	}
	return 0
}

func (r *reader) unsigned() uint64 {
	value, width := binary.Uvarint(r.rest) // LEB128
	if width <= 0 {
		r.failed, r.rest = true, nil
		return 0
	}
	r.take(uint64(width))
	return value
}

func (r *reader) signed() int64 {
	var value int64
	for shift := uint(0); shift < 64 && !r.failed; shift += 7 {
		octet := r.octet()
		value |= int64(octet&0x7f) << shift
		if octet&0x80 == 0 {
			if octet&0x40 != 0 && shift < 57 {
				value |= -1 << (shift + 7)
			}
			return value
		}
	}
	r.failed = true
	return 0
}

func wasmSections(module []byte) (map[byte][]byte, error) {
	if !bytes.HasPrefix(module, []byte(wasmHeader)) {
		return nil, errWasm
	}
	sections := map[byte][]byte{}
	r := reader{rest: module[len(wasmHeader):]}
	for len(r.rest) > 0 {
		kind := r.octet()
		sections[kind] = r.take(r.unsigned())
	}
	if r.failed {
		return nil, errWasm
	}
	return sections, nil
}

func exportedFunction(section []byte, name string) (uint64, error) {
	r := reader{rest: section}
	for count := r.unsigned(); count > 0 && !r.failed; count-- {
		exported := string(r.take(r.unsigned()))
		kind, index := r.octet(), r.unsigned()
		if exported == name && kind == 0 && !r.failed {
			return index, nil
		}
	}
	return 0, fmt.Errorf("%w: no function %q", errWasm, name)
}

func importedFunctions(section []byte) (uint64, error) {
	r := reader{rest: section}
	functions := uint64(0)
	for count := r.unsigned(); count > 0 && !r.failed; count-- {
		r.take(r.unsigned())
		r.take(r.unsigned())
		switch r.octet() {
		case 0: // function: type index
			r.unsigned()
			functions++
		case 2: // memory: limits
			if r.octet() == 1 {
				r.unsigned()
			}
			r.unsigned()
		default:
			return 0, errWasm
		}
	}
	if r.failed {
		return 0, errWasm
	}
	return functions, nil
}

func functionBody(section []byte, index uint64) ([]byte, error) {
	r := reader{rest: section}
	for count := r.unsigned(); count > 0 && !r.failed; count-- {
		body := r.take(r.unsigned())
		if index == 0 && !r.failed {
			return body, nil
		}
		index--
	}
	return nil, errWasm
}

func nameAddresses(body []byte) ([]uint32, error) {
	r := reader{rest: body}
	for groups := r.unsigned(); groups > 0 && !r.failed; groups-- { // local declarations: count and type
		r.unsigned()
		r.octet()
	}
	var addresses []uint32
	for len(r.rest) > 0 {
		switch r.octet() {
		case 0x41: // i32.const
			addresses = append(addresses, uint32(r.signed()))
		case 0x42: // i64.const
			r.signed()
		case 0x10, 0x20, 0x21, 0x22: // call, local.get, local.set, local.tee
			r.unsigned()
		case 0x0b, 0x0f, 0x1a: // end, return, drop
		default:
			return nil, errWasm
		}
	}
	if r.failed {
		return nil, errWasm
	}
	return addresses, nil
}

// cString finds the zero-terminated text that the active data segments put at an address.
func cString(section []byte, address uint32) (string, error) {
	r := reader{rest: section}
	for count := r.unsigned(); count > 0 && !r.failed; count-- {
		if memory, opcode := r.unsigned(), r.octet(); memory != 0 || opcode != 0x41 {
			return "", errWasm
		}
		start := uint32(r.signed())
		if r.octet() != 0x0b {
			return "", errWasm
		}
		content := r.take(r.unsigned())
		if offset := int64(address) - int64(start); offset >= 0 && offset < int64(len(content)) {
			if text, _, ended := bytes.Cut(content[offset:], []byte{0}); ended {
				return string(text), nil
			}
		}
	}
	return "", fmt.Errorf("%w: no text at %d", errWasm, address)
}
