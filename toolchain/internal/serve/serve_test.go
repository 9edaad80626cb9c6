package serve

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"sluice.dev/toolchain/internal/frame"
)

type question struct {
	ID   int64  `json:"id"`
	Op   string `json:"op"`
	Name string `json:"name"`
}

var operations = map[string]Operation[question]{
	"greet":  func(q question) (any, error) { return map[string]string{"text": "<" + q.Name + ">"}, nil },
	"empty":  func(question) (any, error) { return struct{}{}, nil },
	"refuse": func(question) (any, error) { return nil, Refuse("not-today", "come back %s", "tomorrow") },
	"fail":   func(question) (any, error) { return nil, errors.New("broken") },
	"panic":  func(question) (any, error) { var none map[string]int; none["x"] = 1; return nil, nil },
	"huge":   func(question) (any, error) { return strings.Repeat("x", frame.MaxBytes), nil },
	"odd":    func(question) (any, error) { return map[string]any{"f": func() {}}, nil },
}

// talk sends each body as a frame and returns the answers as text, with what the loop ended with.
func talk(t *testing.T, bodies ...string) ([]string, error) {
	t.Helper()
	var in, out bytes.Buffer
	for _, body := range bodies {
		if err := frame.Write(&in, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	ended := Loop(&in, &out, operations)
	var answers []string
	for out.Len() > 0 {
		body, err := frame.Read(&out)
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, string(body))
	}
	return answers, ended
}

func TestAnswersComeInTheOrderOfTheRequests(t *testing.T) {
	answers, err := talk(t, `{"id":7,"op":"greet","name":"a"}`, `{"id":3,"op":"empty"}`)
	want := []string{`{"id":7,"ok":true,"result":{"text":"<a>"}}`, `{"id":3,"ok":true,"result":{}}`}
	if err != nil || len(answers) != 2 || answers[0] != want[0] || answers[1] != want[1] {
		t.Fatalf("%v, %v", answers, err)
	}
}

func TestARefusalNamesCodeAndNullPositions(t *testing.T) {
	answers, err := talk(t, `{"id":1,"op":"refuse"}`)
	want := `{"id":1,"ok":false,"errors":[{"code":"not-today","message":"come back tomorrow","file":null,"line":null,"column":null}]}`
	if err != nil || answers[0] != want {
		t.Fatalf("%v, %v", answers, err)
	}
}

func TestUnreadableRequestsAreRefusedAndTheLoopGoesOn(t *testing.T) {
	bad := []string{`nonsense`, `{"id":1}`, `{"id":1,"op":"nope"}`, `{"op":"empty"}`, `{"id":1.5,"op":"empty"}`,
		`{"id":"1","op":"empty"}`, `{"id":1,"op":"greet","nmae":"a"}`, `[]`, ``, "\"\xff\"", `{"id":1,"op":"empty"} x`}
	answers, err := talk(t, append(bad, `{"id":9,"op":"empty"}`)...)
	if err != nil || len(answers) != len(bad)+1 {
		t.Fatalf("%v, %v", answers, err)
	}
	for i, answer := range answers[:len(bad)] {
		if !strings.Contains(answer, `"ok":false`) || !strings.Contains(answer, CodeBadRequest) {
			t.Errorf("%q was answered with %s", bad[i], answer)
		}
	}
	if answers[len(bad)] != `{"id":9,"ok":true,"result":{}}` {
		t.Fatalf("the request after them: %s", answers[len(bad)])
	}
}

func TestAPanicIsAnsweredAndEndsTheLoop(t *testing.T) {
	answers, err := talk(t, `{"id":1,"op":"panic"}`, `{"id":2,"op":"empty"}`)
	if !errors.Is(err, ErrPanicked) || len(answers) != 1 || !strings.Contains(answers[0], `"id":1,"ok":false`) ||
		!strings.Contains(answers[0], CodeInternal) {
		t.Fatalf("%v, %v", answers, err)
	}
}

func TestOtherFailuresAreInternalErrors(t *testing.T) {
	for _, op := range []string{"fail", "huge", "odd"} {
		answers, err := talk(t, `{"id":4,"op":"`+op+`"}`)
		var reply struct {
			ID     int64
			OK     bool
			Errors Errors
		}
		if err != nil || json.Unmarshal([]byte(answers[0]), &reply) != nil || reply.ID != 4 || reply.OK ||
			reply.Errors[0].Code != CodeInternal {
			t.Fatalf("%s: %.200v, %v", op, answers, err)
		}
	}
}

func TestAnOversizedFrameIsAnsweredAndEndsTheLoop(t *testing.T) {
	var out bytes.Buffer
	err := Loop(bytes.NewReader([]byte{0x10, 0, 0, 0}), &out, operations)
	body, readErr := frame.Read(&out)
	if !errors.Is(err, frame.ErrTooLarge) || readErr != nil || !strings.Contains(string(body), `"id":0,"ok":false`) {
		t.Fatalf("%v, %v, %s", err, readErr, body)
	}
}
