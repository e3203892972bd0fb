package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/alecthomas/kingpin/v2"
)

// parse reads a command line. Its errors name the flag or argument whose value is at fault, which kingpin's
// do not.
func parse(app *kingpin.Application, args []string) error {
	args = nameStdin(app, args)
	_, err := app.Parse(args)
	if err == nil {
		return nil
	}
	name := culprit(app, args, err)
	if name == "" {
		return err
	}
	var number *strconv.NumError
	if errors.As(err, &number) {
		err = fmt.Errorf("%q is no number, or one that is out of range", number.Num)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// culprit returns what has a value that leads to the error, "" where it is not a value's.
func culprit(app *kingpin.Application, args []string, err error) string {
	parsed, problem := app.ParseContext(args)
	if problem != nil {
		return ""
	}
	for _, element := range parsed.Elements {
		name, value := "", kingpin.Value(nil)
		switch clause := element.Clause.(type) {
		case *kingpin.FlagClause:
			m := clause.Model()
			name, value = "--"+m.Name, m.Value
		case *kingpin.ArgClause:
			m := clause.Model()
			name, value = m.Name, m.Value
		}
		if value == nil || element.Value == nil {
			continue
		}
		if again := value.Set(*element.Value); again != nil && again.Error() == err.Error() {
			return name
		}
	}
	return ""
}
