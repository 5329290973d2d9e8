#!/usr/bin/env zsh
# What an interactive zsh offers for each of the given lines when Tab is pressed at their ends. The first argument is the directory of the completions.
zmodload zsh/zpty
export TERM=dumb
zpty shell zsh -f -i
send() { zpty -w -n shell "$1" }
# Everything that the shell has written until the marker, which the shell makes of two halves so that its echo is none.
read_until_marker() {
  local output
  zpty -r shell output '*@@@END*'
  print -r -- "$output"
}
# Nothing may be sent before zsh has shown its list: it leaves the list out while there is more to read.
send "stty cols 300 rows 2000 -echo; PS1=; PS2=; unsetopt prompt_cr prompt_sp; fpath=(${(q)1} \$fpath); autoload -Uz compinit; compinit -u -D; LISTMAX=10000; bindkey '^U' kill-whole-line; tell() { zle expand-or-complete; zle -R; print -r -- '@@@''END' }; zle -N tell; bindkey '^I' tell; print -r -- '@@@''END'"$'\n'
read_until_marker >/dev/null
shift
for line; do
  send "$line"$'\t'
  print -r -- "### $line"
  read_until_marker
  send $'\x15'
done
zpty -d shell
