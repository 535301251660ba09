"""What is run inside a container to move a file, and what its ends mean.

Scripts for any ``sh``. They are constants: what comes from outside are arguments, never text.
"""

from __future__ import annotations

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
cd "$root$at" || exit 70
[ -d "./$3" ] && exit 71
[ -n "$root" ] && (follow "$at/$3"; [ -d "$root$at" ]) && exit 71
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
# for the output any more, and takes everything along that this has started (its process group is
# its own, which is made sure of). What a folder holds is added up first, as far as that is quick:
# later nobody could say any more that it is too much. So is what a small file holds: what the
# kernel makes up as it is read has no size, or a wrong one.
GET = (
    _COMMON
    + """
leads() { read -r line < "/proc/$$/stat"; set -- ${line##*) }; [ "$3" = "$$" ]; }
exec 3<&0
(read -r line <&3; leads && kill -s KILL 0; kill -s KILL "$$") > /dev/null 2>&1 &
watch=$!
trap 'kill "$watch" 2> /dev/null' EXIT
path=$root$at
if [ -d "$path" ]; then
  command -v tar > /dev/null 2>&1 || exit 74
  cd "$path" || exit 70
  sum=$(timeout 10 find . -type f -exec stat -c '%h %s' {} + 2> /dev/null | head -n 50000 | {
    sum=0
    while read -r links size; do [ "$links" != 1 ] || sum=$((sum + size)); done
    echo "$sum"
  })
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
  code=$({ { tar -cf - "./$name"; echo "$?" >&5; } | head -c "$(($3 + 1))" >&4; } 5>&1)
  exit "$code"
elif [ -f "$path" ]; then
  exec 4< "$path" || exit 72
  size=$(size_of "$path") size=$((size))
  [ "$size" -gt 65536 ] || size=$(head -c "$(($3 + 1))" < "$path" | wc -c)
  size=$((size))
  [ "$size" -le "$3" ] || { echo "large $size"; exit 0; }
  echo "file $size"
  head -c "$size" <&4
elif [ -e "$path" ]; then exit 75
else exit 76; fi
"""
)

BROKEN_OFF = "it broke off inside the container"
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
}
# What programs say -> the same in the reader's language.
SAYINGS = {
    "Read-only file system": "it is read-only",
    "Permission denied": "the user of this terminal may not do that",
    "No space left": "there is no room on the disk",
    "quota exceeded": "there is no room on the disk",
    "No such file or directory": "there is nothing here",
    "nonexistent directory": "there is nothing here",
    "Not a directory": "this is no folder",
    "can't cd": "there is no such folder",
    "File name too long": "the name is too long",
}
