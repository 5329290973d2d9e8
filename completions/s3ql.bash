# Made by scripts/generate-docs.ts from the tables in src/cli: change those.
_s3ql_command() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  case $1 in
    umount)
      case $previous in
        --log) COMPREPLY=($(compgen -f -- "$word")); return ;;
        --debug-modules) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W "--lazy --log --debug --debug-modules --quiet --json --version --help" -- "$word"))
      else COMPREPLY=($(compgen -f -- "$word")); fi ;;
    stat)
      case $previous in
        --log) COMPREPLY=($(compgen -f -- "$word")); return ;;
        --debug-modules) COMPREPLY=(); return ;;
      esac
      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W "--raw --log --debug --debug-modules --quiet --json --version --help" -- "$word"))
      else COMPREPLY=($(compgen -f -- "$word")); fi ;;
  esac
}
_s3ql() {
  compopt -o filenames 2>/dev/null
  case ${COMP_WORDS[0]##*/} in
    umount.s3ql) _s3ql_command umount ;;
    s3qlstat) _s3ql_command stat ;;
    *)
      if ((COMP_CWORD == 1)); then COMPREPLY=($(compgen -W "umount stat --help --version" -- "${COMP_WORDS[1]}"))
      else _s3ql_command "${COMP_WORDS[1]}"; fi ;;
  esac
}
complete -F _s3ql s3ql umount.s3ql s3qlstat
