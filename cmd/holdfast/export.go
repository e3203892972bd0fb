package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"

	"github.com/alecthomas/kingpin/v2"
	dto "github.com/prometheus/client_model/go"

	"holdfast"
	"holdfast/internal/pgwfile"
)

// exportCommand writes the groups of a stopped instance as a persistence file of the Pushgateway, so that
// one can go back.
func exportCommand() command {
	return command{name: "export-persistence", help: "Write the groups of a stopped Holdfast as a file that a Pushgateway loads with --persistence.file. The store stays as it is.", setup: func(app *kingpin.Application) func(context.Context) error {
		directory := app.Flag("storage.path", "Directory of the store.").Default("data").ExistingDir()
		file := app.Arg("FILE", "File to write. It must not exist.").Required().String()
		return func(context.Context) error {
			count, err := exportStore(*directory, *file)
			if err != nil {
				return err
			}
			return printf("wrote %s; groups: %d\n", *file, count)
		}
	}}
}

// exportStore returns how many groups it wrote. Where that fails, there is no file.
func exportStore(directory, name string) (count int, err error) {
	err = withStore(directory, func(e holdfast.Engine) error {
		file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s exists, and is left as it is; name another file", name)
		}
		if err != nil {
			return fmt.Errorf("make the file: %w", err)
		}
		if count, err = writeGroups(file, e); err == nil {
			err = file.Sync()
		}
		if err = errors.Join(err, file.Close()); err != nil {
			return errors.Join(fmt.Errorf("write %s: %w", name, err), os.Remove(name))
		}
		return syncParent(name)
	})
	return count, err
}

func writeGroups(file *os.File, e holdfast.Engine) (count int, err error) {
	var damage error
	buffered := bufio.NewWriter(file)
	err = pgwfile.Write(buffered, portable(holdfast.Stored(context.Background(), e), &count, &damage))
	return count, errors.Join(damage, err, buffered.Flush())
}

// portable turns groups into those of the persistence file, and counts them. It stops at the first one
// that cannot be read, and tells why in damage.
func portable(stored iter.Seq2[*holdfast.Group, error], count *int, damage *error) iter.Seq[pgwfile.Group] {
	return func(yield func(pgwfile.Group) bool) {
		for group, err := range stored {
			if err != nil {
				*damage = err
				return
			}
			to, err := portableGroup(group)
			if err != nil {
				*damage = fmt.Errorf("group %s: %w", group.Key(), err)
				return
			}
			if *count++; !yield(to) {
				return
			}
		}
	}
}

func portableGroup(from *holdfast.Group) (pgwfile.Group, error) {
	to := pgwfile.Group{Labels: map[string]string{}, Families: map[string]pgwfile.Family{}}
	for _, label := range from.Key().Labels() {
		to.Labels[label.Name] = label.Value
	}
	for _, member := range from.Members() {
		metrics, err := member.Metrics()
		if err != nil {
			return pgwfile.Group{}, err
		}
		family := &dto.MetricFamily{Name: &member.Name, Type: &member.Type, Metric: metrics}
		if member.Help != "" {
			family.Help = &member.Help
		}
		if member.Unit != "" {
			family.Unit = &member.Unit
		}
		to.Families[member.Name] = pgwfile.Family{Pushed: member.Pushed(), MetricFamily: family}
	}
	return to, nil
}
