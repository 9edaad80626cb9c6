// Package frame reads and writes the messages of a toolchain process.
//
//	frame = length (uint32, big endian) ‖ body (length bytes, UTF-8 JSON)
//
// One side writes requests, the other one answer per request in the same order; nothing else is on the stream.
package frame

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// MaxBytes bounds the body of a frame in both directions.
const MaxBytes = 64 << 20

const headerBytes = 4

// ErrTooLarge is returned when a frame announces, or a body has, more than MaxBytes.
// After it the stream cannot be followed any further.
var ErrTooLarge = errors.New("frame larger than 64 MiB")

// Read returns the body of the next frame. It returns io.EOF only at the border between two frames;
// a stream that ends inside a frame gives io.ErrUnexpectedEOF.
func Read(r io.Reader) ([]byte, error) {
	var header [headerBytes]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(header[:])
	if length > MaxBytes {
		return nil, fmt.Errorf("%w: %d bytes announced", ErrTooLarge, length)
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(r, body); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return body, nil
}

// Write sends body as one frame with a single call to w.
func Write(w io.Writer, body []byte) error {
	if len(body) > MaxBytes {
		return fmt.Errorf("%w: %d bytes to write", ErrTooLarge, len(body))
	}
	message := make([]byte, headerBytes, headerBytes+len(body))
	binary.BigEndian.PutUint32(message, uint32(len(body)))
	_, err := w.Write(append(message, body...))
	return err
}
