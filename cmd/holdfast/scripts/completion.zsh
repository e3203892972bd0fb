#compdef holdfast
# Completes command lines of holdfast, in zsh. Made by: holdfast completion zsh
_holdfast() {
	local -a commands flags
	commands=({{range .}}
		'{{.Name}}:{{single .Help}}'{{end}}
	)
	local command=serve
	if ((CURRENT > 2)) && [[ $words[2] != -* ]]; then
		command=$words[2]
	fi
	if ((CURRENT == 2)) && [[ $words[2] != -* ]]; then
		_describe command commands
		return
	fi
	case $command in{{range .}}
	{{.Name}})
		flags=({{range .Flags}}
			'--{{.Name}}:{{single .Help}}'{{end}}
		)
		;;{{end}}
	esac
	if [[ $words[CURRENT] == -* ]]; then
		_describe flag flags
	else
		_files
	fi
}
if [ "$funcstack[1]" = _holdfast ]; then
	_holdfast "$@"
else
	compdef _holdfast holdfast
fi
