# Completes command lines of holdfast, in fish. Made by: holdfast completion fish
{{range .}}complete -c holdfast -n __fish_use_subcommand -f -a {{.Name}} -d '{{fish .Help}}'
{{end}}{{range $i, $c := .}}{{range .Flags}}complete -c holdfast -n '{{if $i}}__fish_seen_subcommand_from {{$c.Name}}{{else}}__fish_use_subcommand; or __fish_seen_subcommand_from serve{{end}}' -l {{.Name}}{{if .Short}} -s {{printf "%c" .Short}}{{end}}{{if not .IsBoolFlag}} -r{{end}} -d '{{fish .Help}}'
{{end}}{{end}}complete -c holdfast -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'
complete -c holdfast -n '__fish_seen_subcommand_from spool' -f -a 'list send drop'
complete -c holdfast -n '__fish_seen_subcommand_from groups' -f -a 'list show rm'
