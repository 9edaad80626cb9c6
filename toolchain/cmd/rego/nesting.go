package main

// maxNesting is far beyond what people write; some thousand levels more overflow stacks in later stages of OPA.
const maxNesting = 1000

type mode byte

const (
	inCode mode = iota
	inString
	inRaw
	inTemplate    // $"…", whose {…} holds code again
	inRawTemplate // $`…`
)

// nestedTooDeep finds the first bracket beyond maxNesting. It follows strings, comments and template strings as OPA's
// scanner does, so that brackets cannot be hidden behind a quote or balanced by a comment.
func nestedTooDeep(text string) (line, column int, deep bool) {
	modes := []mode{inCode} // one more for each string and each open {…} of a template
	var depths []int        // brackets open in the code around each template expression
	open, total := 0, 0
	line, column = 1, 0
	for i := 0; i < len(text); i++ {
		column++
		character := text[i]
		switch modes[len(modes)-1] {
		case inCode:
			switch character {
			case '[', '(', '{':
				open, total = open+1, total+1
			case ']', ')':
				if open > 0 {
					open, total = open-1, total-1
				}
			case '}':
				if open == 0 && len(depths) > 0 {
					open, depths = depths[len(depths)-1], depths[:len(depths)-1]
					modes, total = modes[:len(modes)-1], total-1
				} else if open > 0 {
					open, total = open-1, total-1
				}
			case '#':
				for i+1 < len(text) && text[i+1] != '\n' {
					i, column = i+1, column+1
				}
			case '"', '`':
				modes = append(modes, stringMode(character, i > 0 && text[i-1] == '$'))
			}
		case inString:
			switch character {
			case '\\':
				i, column = skipEscaped(text, i, column)
			case '"', '\n': // a newline ends the string with an error in OPA
				modes = modes[:len(modes)-1]
			}
		case inRaw:
			if character == '`' {
				modes = modes[:len(modes)-1]
			}
		case inTemplate, inRawTemplate:
			raw := modes[len(modes)-1] == inRawTemplate
			switch {
			case character == '\\' && !raw:
				i, column = skipEscaped(text, i, column)
			case character == '\\' && i+1 < len(text) && text[i+1] == '{':
				i, column = i+1, column+1
			case character == '{':
				depths, open, total = append(depths, open), 0, total+1
				modes = append(modes, inCode)
			case raw && character == '`', !raw && (character == '"' || character == '\n'):
				modes = modes[:len(modes)-1]
			}
		}
		if total > maxNesting {
			return line, column, true
		}
		if text[i] == '\n' {
			line, column = line+1, 0
		}
	}
	return 0, 0, false
}

func stringMode(quote byte, template bool) mode {
	switch {
	case quote == '`' && template:
		return inRawTemplate
	case quote == '`':
		return inRaw
	case template:
		return inTemplate
	}
	return inString
}

// skipEscaped passes over the character after a backslash, but never over the end of a line. After \u OPA's scanner takes
// the next three characters unseen, quotes and newlines too; the fourth is looked at like any other.
func skipEscaped(text string, i, column int) (int, int) {
	if i+1 >= len(text) || text[i+1] == '\n' {
		return i, column
	}
	if text[i+1] != 'u' {
		return i + 1, column + 1
	}
	end := min(i+4, len(text)-1)
	return end, column + end - i
}
