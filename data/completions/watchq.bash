# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Completion of watchq(1) for bash.

# _watchq_list CURRENT WORD...: completes the last part of a list with commas.
_watchq_list() {
  local current=$1 before=
  shift
  if [[ $current == *,* ]]; then
    before=${current%,*},
    current=${current##*,}
  fi
  mapfile -t COMPREPLY < <(compgen -P "$before" -W "$*" -- "$current")
  compopt -o nospace
}

_watchq() {
  # shellcheck disable=SC2034 # _init_completion sets them all
  local cur prev words cword split
  _init_completion -s || return

  local commands='monitor status ls top doctor inject'
  local events='new_mount unmount expiry readonly setattr move_from move_to error edquot network
    instantiated updated linked unlinked cleared revoked invalidated blocks inodes
    mounted unmounted moved ro rw full quota down up gone'
  local word command=
  for word in "${words[@]:1:cword-1}"; do
    if [[ " $commands " == *" $word "* ]]; then
      command=$word
      break
    fi
  done

  local options='--help -h'
  case $command in
    monitor)
      options+=' --mount --sb --key --all-sb --free --type --only --under --snapshot --json --color
        --exec --until --count --timeout --no-reconnect --watchq'
      ;;
    status | doctor) options+=' --json --watchq' ;;
    ls) options+=' --superblocks --json --watchq' ;;
    top) options+=' --once --count -n --delay -d --json --watchq' ;;
    inject) options+=' --tag --flags --only --json --watchq' ;;
    *) options+=' --version' ;;
  esac

  case $prev in
    --mount | --sb | --under | --watchq)
      _filedir
      return
      ;;
    --type)
      _watchq_list "$cur" mount superblock key space
      return
      ;;
    --only)
      # shellcheck disable=SC2086 # words
      _watchq_list "$cur" $events
      return
      ;;
    --until)
      mapfile -t COMPREPLY < <(compgen -W "$events" -- "$cur")
      return
      ;;
    --color)
      mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$cur")
      return
      ;;
    --exec)
      mapfile -t COMPREPLY < <(compgen -c -- "$cur")
      return
      ;;
    --key)
      mapfile -t COMPREPLY < <(compgen -W '@s @u @us @p @t' -- "$cur")
      return
      ;;
    --free | --count | --timeout | --delay | --tag | --flags | -n | -d) return ;;
  esac

  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
  elif [[ -z $command ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur")
  elif [[ $command == ls ]]; then
    _filedir -d
  elif [[ $command == inject && $prev == inject ]]; then
    mapfile -t COMPREPLY < <(compgen -W 'mount superblock key space meta' -- "$cur")
  fi
} && complete -F _watchq watchq
