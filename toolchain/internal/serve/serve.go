// Package serve answers framed requests, one after the other, with the operations of a program.
//
//	request  {id: number, op: string, ...}
//	answer   {id, ok: true, result: {...}} or {id, ok: false, errors: [{code, message, file, line, column}]}
//
// A request that cannot be read is answered with id 0. An operation that panics is answered and ends the loop: its
// state is not to be trusted any more, and the parent starts another process.
package serve

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"sluice.dev/toolchain/internal/frame"
)

// Codes that every program of the toolchain may answer with.
const (
	CodeBadRequest         = "bad-request"
	CodeInternal           = "internal"
	CodeSandboxUnavailable = "sandbox-unavailable"
)

// Error is one thing that is wrong; File, Line and Column are null where there is no place to point at.
type Error struct {
	Code    string  `json:"code"`
	Message string  `json:"message"`
	File    *string `json:"file"`
	Line    *int    `json:"line"`
	Column  *int    `json:"column"`
}

// Errors is a refusal: at least one error, in a stable order.
type Errors []Error

func (e Errors) Error() string {
	if len(e) == 0 {
		return "no errors"
	}
	return fmt.Sprintf("%s: %s", e[0].Code, e[0].Message)
}

// Refuse is a refusal with one error that has no position.
func Refuse(code, format string, arguments ...any) Errors {
	return Errors{{Code: code, Message: fmt.Sprintf(format, arguments...)}}
}

// Operation answers one request of type R: a result that can be encoded, or a refusal.
// Any other error is answered with CodeInternal.
type Operation[R any] func(R) (any, error)

// A type parameter cannot be embedded, so the head of a request is decoded by itself first; R has the two keys too.
type head struct {
	ID *int64 `json:"id"`
	Op string `json:"op"`
}

type answer struct {
	ID     int64  `json:"id"`
	OK     bool   `json:"ok"`
	Result any    `json:"result,omitempty"`
	Errors Errors `json:"errors,omitempty"`
}

// ErrPanicked ends the loop after an operation that panicked; its answer has been written.
var ErrPanicked = errors.New("an operation panicked")

// Loop answers requests until in ends. It returns nil at a clean end, and an error when the stream can no longer be
// followed (an answer with id 0 has then been tried) or an operation panicked.
func Loop[R any](in io.Reader, out io.Writer, operations map[string]Operation[R]) error {
	for {
		body, err := frame.Read(in)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			_ = send(out, refusal(0, Refuse(CodeBadRequest, "cannot read a request: %v", err)))
			return err
		}
		reply, panicked := handle(body, operations)
		if err := send(out, reply); err != nil {
			return err
		}
		if panicked {
			return ErrPanicked
		}
	}
}

// Announce writes one answer that belongs to no request.
func Announce(out io.Writer, errs Errors) error {
	return send(out, refusal(0, errs))
}

func handle[R any](body []byte, operations map[string]Operation[R]) (answer, bool) {
	id, op, request, err := decode[R](body)
	if err != nil {
		return refusal(id, Refuse(CodeBadRequest, "%v", err)), false
	}
	operation, known := operations[op]
	if !known {
		return refusal(id, Refuse(CodeBadRequest, "unknown operation %q", op)), false
	}
	result, err, panicked := run(operation, request)
	if err == nil {
		return answer{ID: id, OK: true, Result: result}, false
	}
	var refused Errors
	if errors.As(err, &refused) && len(refused) > 0 {
		return refusal(id, refused), panicked
	}
	return refusal(id, Refuse(CodeInternal, "%v", err)), panicked
}

func run[R any](operation Operation[R], request R) (result any, err error, panicked bool) {
	defer func() {
		if problem := recover(); problem != nil {
			result, err, panicked = nil, Refuse(CodeInternal, "operation failed: %v", problem), true
		}
	}()
	result, err = operation(request)
	return result, err, false
}

// decode is strict: a misspelt key (deniedBuiltin) must not silently weaken what was asked for.
func decode[R any](body []byte) (id int64, op string, request R, err error) {
	if !utf8.Valid(body) {
		return 0, "", request, errors.New("request is not UTF-8")
	}
	var first head
	if err := json.Unmarshal(body, &first); err != nil {
		return 0, "", request, fmt.Errorf("request is not valid: %w", err)
	}
	if first.ID == nil {
		return 0, "", request, errors.New("request has no id")
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&request); err != nil {
		return *first.ID, "", request, fmt.Errorf("request is not valid: %w", err)
	}
	return *first.ID, first.Op, request, nil
}

func refusal(id int64, errs Errors) answer {
	return answer{ID: id, Errors: errs}
}

func send(out io.Writer, reply answer) error {
	body, err := encode(reply)
	if err == nil && len(body) > frame.MaxBytes {
		err = fmt.Errorf("answer has %d bytes, 64 MiB are allowed", len(body))
	}
	if err != nil {
		body, err = encode(refusal(reply.ID, Refuse(CodeInternal, "%v", err)))
		if err != nil {
			return err
		}
	}
	return frame.Write(out, body)
}

func encode(reply answer) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(reply); err != nil {
		return nil, fmt.Errorf("cannot encode the answer: %w", err)
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}
