# Completes command lines of holdfast, in bash. Made by: holdfast completion bash
_holdfast() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=serve flags= i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-*) ;;
		{{range $i, $c := .}}{{if $i}} | {{end}}{{$c.Name}}{{end}})
			command=${COMP_WORDS[i]}
			break
			;;
		esac
	done
	COMPREPLY=()
	case $command:$before in{{range $c := .}}{{range .Flags}}{{if not .IsBoolFlag}}
	{{$c.Name}}:--{{.Name}}{{if .Short}} | {{$c.Name}}:-{{printf "%c" .Short}}{{end}}) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;{{end}}{{end}}{{end}}
	completion:completion) if [[ $word != -* ]]; then mapfile -t COMPREPLY < <(compgen -W 'bash zsh fish' -- "$word"); return; fi ;;
	spool:spool) if [[ $word != -* ]]; then mapfile -t COMPREPLY < <(compgen -W 'list send drop' -- "$word"); return; fi ;;
	groups:groups) if [[ $word != -* ]]; then mapfile -t COMPREPLY < <(compgen -W 'list show rm' -- "$word"); return; fi ;;
	esac
	case $command in{{range .}}
	{{.Name}}) flags='{{range .Flags}}--{{.Name}} {{end}}' ;;{{end}}
	esac
	if [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$word")
	elif ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W '{{range .}}{{.Name}} {{end}}' -- "$word")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	fi
}
complete -o filenames -F _holdfast holdfast
