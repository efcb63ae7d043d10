# SPDX-License-Identifier: MIT
# Completion of watchq(1) for fish.

function __watchq_without_command
    not __fish_seen_subcommand_from monitor status ls top doctor inject
end

function __watchq_events
    string split ' ' 'new_mount unmount expiry readonly setattr move_from move_to error edquot network instantiated updated linked unlinked cleared revoked invalidated blocks inodes mounted unmounted moved ro rw full quota down up gone'
end

complete -c watchq -f
complete -c watchq -s h -l help -d 'Print the help'
complete -c watchq -n __watchq_without_command -l version -d 'Print the version'

complete -c watchq -n __watchq_without_command -a monitor -d 'Print what happens as it happens'
complete -c watchq -n __watchq_without_command -a status -d 'Tell how the daemon does'
complete -c watchq -n __watchq_without_command -a ls -d 'List the mounts as a tree'
complete -c watchq -n __watchq_without_command -a top -d 'Show who watches what'
complete -c watchq -n __watchq_without_command -a doctor -d 'Find what is missing'
complete -c watchq -n __watchq_without_command -a inject -d 'Put a record into a queue'

set -l any '__fish_seen_subcommand_from monitor status ls top doctor inject'
complete -c watchq -n $any -l json -d 'Print JSON'
complete -c watchq -n $any -l watchq -x -a '(__fish_complete_directories)' -d 'Where the daemon is mounted'

set -l monitor '__fish_seen_subcommand_from monitor'
complete -c watchq -n $monitor -l mount -r -F -d 'Watch the mounts at and below a path'
complete -c watchq -n $monitor -l sb -r -F -d 'Watch the filesystem that holds a path'
complete -c watchq -n $monitor -l key -x -a '@s @u @us @p @t' -d 'Watch a key or keyring'
complete -c watchq -n $monitor -l all-sb -d 'Watch all filesystems'
complete -c watchq -n $monitor -l free -x -d 'Tell when less is free'
complete -c watchq -n $monitor -l type -x -a 'mount superblock key space' -d 'Only events of a type'
complete -c watchq -n $monitor -l only -x -a '(__fish_append , (__watchq_events))' -d 'Only these events'
complete -c watchq -n $monitor -l under -r -F -d 'Only events at or below a path'
complete -c watchq -n $monitor -l snapshot -d 'First what is there already'
complete -c watchq -n $monitor -l color -x -a 'auto always never' -d 'Colours'
complete -c watchq -n $monitor -l exec -x -a '(__fish_complete_command)' -d 'Run a command for each event'
complete -c watchq -n $monitor -l until -x -a '(__watchq_events)' -d 'End when an event comes'
complete -c watchq -n $monitor -l count -x -d 'End after so many events'
complete -c watchq -n $monitor -l timeout -x -d 'End after so many seconds'
complete -c watchq -n $monitor -l no-reconnect -d 'Do not wait for a daemon that has gone'

set -l ls '__fish_seen_subcommand_from ls'
complete -c watchq -n $ls -l superblocks -d 'List filesystems'
complete -c watchq -n $ls -a '(__fish_complete_directories)'

set -l top '__fish_seen_subcommand_from top'
complete -c watchq -n $top -l once -d 'Print one screen'
complete -c watchq -n $top -s n -l count -x -d 'Screens to show'
complete -c watchq -n $top -s d -l delay -x -d 'Seconds between two screens'

set -l inject '__fish_seen_subcommand_from inject'
complete -c watchq -n $inject -a 'mount superblock key space meta'
complete -c watchq -n $inject -l tag -x -d 'Tag of the record'
complete -c watchq -n $inject -l flags -x -d 'Flags of its type'
complete -c watchq -n $inject -l only -x -a '(__fish_append , (__watchq_events))' -d 'Filter of the queue'
