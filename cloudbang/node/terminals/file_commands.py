"""The scripts that move files inside a container, and what their ends mean.

They are for any ``sh``. What comes from outside are arguments, never text of them. Whatever they
start they wait for: in most containers nobody else takes note of an end, and of a process that
nobody waited for a number is left, of which there are only so many.
"""

from __future__ import annotations

import re

# What the first line of each may be.
PUT_BEGINS = re.compile(rb"ready")
GET_BEGINS = re.compile(rb"folder|(?:file|large) [0-9]{1,18}")

# $at is where a path leads below a root that is not this process's own, a toolbox's target's: a
# link that begins with a slash would lead into our own files. Without such a root: the path.
_COMMON = """
root=$1 at=$2
follow() {
  at= rest=$1 links=0
  while [ -n "$rest" ]; do
    part=${rest%%/*}
    case $rest in */*) rest=${rest#*/} ;; *) rest= ;; esac
    case $part in
      '' | .) continue ;;
      ..) at=${at%/*}; continue ;;
    esac
    [ -L "$root$at/$part" ] || { at=$at/$part; continue; }
    links=$((links + 1))
    [ "$links" -le 40 ] || exit 77
    to=$(readlink "$root$at/$part" && echo .) || exit 77
    to=${to%??}
    case $to in /*) at= ;; esac
    rest=$to/$rest
  done
}
[ -z "$root" ] || follow "$2"
size_of() {  # bytes; reads the content only where nothing else tells them
  stat -L -c %s "$1" 2> /dev/null && return
  set -f
  set -- "$1" $(ls -lnL "$1" 2> /dev/null)
  [ -z "$6" ] || { echo "$6"; return; }
  wc -c < "$1"
}
"""

# $3 is the name, $4 the size in bytes, $5 the name until it is whole. What is not whole is taken
# away when no more bytes come. The descriptor, and not the name, gets the rights that the file
# had: who may write in the folder may put a link in its place meanwhile.
PUT = (
    _COMMON
    + """
cd "$root$at" || exit 79
may_go() {  # only a file may be replaced, or a link that leads to one or to nothing
  [ ! -d "$1" ] || exit 71
  [ ! -e "$1" ] || [ -f "$1" ] || exit 78
}
if [ -n "$root" ] && [ -L "./$3" ]; then
  (follow "$at/$3"; may_go "$root$at") || { code=$?; [ "$code" = 77 ] || exit "$code"; }
else may_go "./$3"; fi
umask 022
trap 'rm -f "./$5"' EXIT
trap 'exit 72' HUP INT TERM
exec 4> "./$5" || exit 72
if [ -f "./$3" ] && [ ! -L "./$3" ] && mode=$(stat -c %a "./$3" 2> /dev/null); then
  chown "$(stat -c %u:%g "./$3")" /proc/self/fd/4 2> /dev/null
  case $mode in ????) mode=${mode#?} ;; esac
  chmod "$mode" /proc/self/fd/4 2> /dev/null
fi
echo ready
head -c "$4" >&4 || exit 72
[ "$(size_of "./$5")" -eq "$4" ] || exit 73
mv -f "./$5" "./$3" || exit 72
trap - EXIT
"""
)

# $3 is how many bytes may be moved. Nothing comes by its input: its end means that nobody waits
# for the output any more, and ends everything that this has started (its process group is its own,
# which is made sure of): what moves bytes dies of TERM, shells go on to wait for it and then end.
# `find` goes on, since the `stat` that it has started would be left: it ends at the next name that
# nobody reads. What a folder holds is added up first, as far as that is quick: later nobody could
# say any more that it is too much. So is what a small file holds: what the kernel makes up as it is
# read has no size, or a wrong one.
GET = (
    _COMMON
    + """
leads() { read -r line < "/proc/$$/stat"; set -- ${line##*) }; [ "$3" = "$$" ]; }
exec 3<&0
(trap '' TERM; read -r line <&3; leads && kill -s TERM 0 || kill -s KILL "$$") > /dev/null 2>&1 &
watch=$!
trap '{ kill -s KILL "$watch"; wait "$watch"; } 2> /dev/null' EXIT
trap 'exit 143' TERM
names_and_sizes() {
  trap '' TERM
  exec find . -type d -print -o -type f -exec stat -c '%h %s' {} + 2> /dev/null
}
add_up() {  # the sizes of files with one name, of 50,000 lines at most and within 10 seconds
  trap 'exit 1' TERM
  read -r began line < /proc/uptime
  sum=0 lines=0
  while [ "$lines" -lt 50000 ] && read -r links size; do
    lines=$((lines + 1))
    case $links:$size in 1: | 1:*[!0-9]*) ;; 1:*) sum=$((sum + size)) ;; esac
    [ "$((lines % 64))" = 0 ] || continue
    read -r now line < /proc/uptime
    [ "$((${now%.*} - ${began%.*}))" -lt 10 ] || break
  done
  echo "$sum"
}
path=$root$at
if [ -d "$path" ]; then
  command -v tar > /dev/null 2>&1 || exit 74
  cd "$path" || exit 70
  sum=$(trap : TERM; names_and_sizes | add_up)
  [ "$((sum))" -le "$3" ] || { echo "large $sum"; exit 0; }
  if [ -n "$root" ]; then
    name=${at##*/}
    cd "$root${at%/*}/" || exit 70
  else
    whole=$(pwd -P) name=$(pwd -P; echo .)
    name=${name%??} name=${name##*/}
    cd .. || exit 70
    [ "$(cd "./$name" 2> /dev/null && pwd -P)" = "$whole" ] || { cd "$path" && name=.; }
  fi
  echo folder
  exec 4>&1
  pack() { trap : TERM; tar -cf - "./$name"; echo "$?" >&5; }
  code=$(trap : TERM; { pack | head -c "$(($3 + 1))" >&4; } 5>&1)
  exit "$code"
elif [ -f "$path" ]; then
  exec 4< "$path" || exit 72
  size=$(size_of "$path") size=$((size))
  [ "$size" -gt 65536 ] ||
    size=$(trap : TERM; head -c "$(($3 + 1))" < "$path" | wc -c)
  size=$((size))
  [ "$size" -le "$3" ] || { echo "large $size"; exit 0; }
  echo "file $size"
  head -c "$size" <&4
elif [ -e "$path" ]; then exit 75
else exit 76; fi
"""
)

BROKEN_OFF = "it broke off inside the container"
UNINTELLIGIBLE = "what is called sh in this image says what no shell says: open a toolbox"
NO_SHELL = "there is no shell in this image that could move it: open a toolbox"

# exit status of a script -> what a person is told; "" : the last that it said
REASONS = {
    70: "",
    71: "there is a folder of this name",
    72: "",
    73: BROKEN_OFF,
    74: "there is no tar in this image: fetch the files one by one, or open a toolbox",
    75: "this is neither a file nor a folder",
    76: "there is nothing here",
    77: "a link on the way to it cannot be followed",
    78: "a device, a pipe or a socket has this name: only a file is replaced",
}
# The folder that a file is to go into cannot be entered: what is said is about it.
FOLDER = 79
NO_FOLDER = "there is no such folder: choose another, or make it first"
# What programs say -> the same in the reader's language.
MESSAGES = {
    "Read-only file system": "it is read-only",
    "Permission denied": "the user of this terminal may not do that",
    "No space left": "there is no room on the disk",
    "quota exceeded": "there is no room on the disk",
    "No such file or directory": "there is nothing here",
    "nonexistent directory": "there is nothing here",
    "Not a directory": "this is no folder",
    "can't cd": NO_FOLDER,
    "File name too long": "the name is too long",
}
