package frame

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

func TestReadReturnsWhatWriteSent(t *testing.T) {
	var stream bytes.Buffer
	for _, body := range []string{`{"a":1}`, "", "ü"} {
		if err := Write(&stream, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{`{"a":1}`, "", "ü"} {
		got, err := Read(&stream)
		if err != nil || string(got) != want {
			t.Fatalf("got %q, %v; want %q", got, err, want)
		}
	}
	if _, err := Read(&stream); err != io.EOF {
		t.Fatalf("got %v at the end, want io.EOF", err)
	}
}

func TestReadRefusesAnOversizedFrameBeforeAllocatingIt(t *testing.T) {
	if _, err := Read(bytes.NewReader([]byte{0xff, 0xff, 0xff, 0xff})); !errors.Is(err, ErrTooLarge) {
		t.Fatalf("got %v", err)
	}
	if _, err := Read(bytes.NewReader([]byte{0x04, 0, 0, 1})); !errors.Is(err, ErrTooLarge) {
		t.Fatalf("one byte over the limit: got %v", err)
	}
}

func TestReadTellsATornFrameFromTheEnd(t *testing.T) {
	for _, torn := range [][]byte{{0, 0}, {0, 0, 0, 2}, {0, 0, 0, 2, 'x'}} {
		if _, err := Read(bytes.NewReader(torn)); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("%v: got %v", torn, err)
		}
	}
}

func TestWriteRefusesAnOversizedBody(t *testing.T) {
	var stream bytes.Buffer
	if err := Write(&stream, make([]byte, MaxBytes+1)); !errors.Is(err, ErrTooLarge) || stream.Len() != 0 {
		t.Fatalf("got %v and %d bytes written", err, stream.Len())
	}
}
