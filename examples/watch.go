// SPDX-License-Identifier: MIT

// watch: a watch queue in Go, without cgo and with nothing but the standard library.
//
// Prints what happens to the mounts at and below a path and to the filesystems of all of them: what
// is there first, then what changes. Where records were lost it asks again for what is there.
//
//	go build watch.go
//	./watch [-queue FILE] [-pages N] [PATH]
//
//	$ ./watch /srv
//	watching /srv
//	mount new_mount /srv/data
//	snapshot complete
//	snapshot complete
//	superblock readonly /srv/data now read-only
package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// The numbers of <watchq/watch_queue.h>.
const (
	setSize     = 's'<<8 | 1
	mountNotify = 1<<30 | 16<<16 | 's'<<8 | 0x10
	sbNotify    = 1<<30 | 16<<16 | 's'<<8 | 0x11

	flagDetail, flagAll, flagSnapshot = 0x1, 0x4, 0x8

	typeMeta, typeMount, typeSuperblock = 0, 1, 2
	typeDetail, typeSnapshot, typeLost  = 0x800000, 0x800001, 0x800002

	infoOverrun, infoLength, infoFlag0 = 0x1, 0x1f8, 0x10000

	sbError = 1

	tagMounts, tagSuperblocks = 1, 2

	oPath = 0x200000 // of open(2); the package syscall does not know it
)

var names = map[uint32][]string{
	typeMeta: {"meta skip", "meta removal"},
	typeMount: {"mount new_mount", "mount unmount", "mount expiry", "mount readonly",
		"mount setattr", "mount move_from", "mount move_to"},
	typeSuperblock: {"superblock readonly", "superblock error", "superblock edquot",
		"superblock network"},
}

// Integers are in the machine's own order. Go 1.19 has no name for that.
var native = func() binary.ByteOrder {
	one := uint16(1)
	if *(*byte)(unsafe.Pointer(&one)) == 1 {
		return binary.LittleEndian
	}
	return binary.BigEndian
}()

// A Queue is an open queue with its ring. It belongs to one goroutine at a time.
type Queue struct {
	fd   int
	ring []byte
}

// OpenQueue opens a queue with a ring of so many pages of 4096 bytes, a power of two.
func OpenQueue(path string, pages int) (*Queue, error) {
	fd, err := syscall.Open(path, syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	if err := ioctl(fd, setSize, uintptr(pages)); err != nil {
		syscall.Close(fd)
		return nil, fmt.Errorf("a ring of %d pages: %w", pages, err)
	}
	ring, err := syscall.Mmap(fd, 0, pages*4096, syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_SHARED)
	if err != nil {
		syscall.Close(fd)
		return nil, fmt.Errorf("mapping the ring: %w", err)
	}
	return &Queue{fd, ring}, nil
}

func ioctl(fd int, request, argument uintptr) error {
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), request, argument); errno != 0 {
		return errno
	}
	return nil
}

// Watch sets a watch on a path, or has an earlier one of the same tag told once more.
func (q *Queue) Watch(request uintptr, path string, tag int32, flags uint32) error {
	// The kernel finds the path and checks our rights; the daemon gets to know the result.
	place, err := syscall.Open(path, oPath|syscall.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer syscall.Close(place) // it would keep the mount busy
	watch := struct {
		size        uint32
		object, tag int32
		flags       uint32
	}{16, int32(place), tag, flags}
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(q.fd), request,
		uintptr(unsafe.Pointer(&watch)))
	if errno != 0 {
		return &os.PathError{Op: "watch", Path: path, Err: errno}
	}
	return nil
}

// The ring's own words: 2 is head, 3 is tail. Go's atomic operations are barriers as well.
func (q *Queue) word(number int) *uint32 {
	return (*uint32)(unsafe.Pointer(&q.ring[4*number]))
}

// Next returns a copy of the next record, or nil when there is none now.
func (q *Queue) Next() ([]byte, error) {
	head, tail := q.word(2), q.word(3)
	for {
		at, until := atomic.LoadUint32(tail), atomic.LoadUint32(head)
		if at == until {
			return nil, nil
		}
		start := int(at%uint32(len(q.ring)/8)) * 8
		info := native.Uint32(q.ring[start+4:])
		length := int(info & infoLength)
		if length == 0 || start+length > len(q.ring) || uint32(length/8) > until-at {
			return nil, errors.New("the ring makes no sense")
		}
		record := append([]byte(nil), q.ring[start:start+length]...)
		atomic.StoreUint32(tail, at+uint32(length/8))
		if native.Uint32(record) != 0 { // 0 is padding
			return record, nil
		}
	}
}

// Wait waits until there may be records.
func (q *Queue) Wait() error {
	waited := struct {
		fd              int32
		events, revents int16
	}{int32(q.fd), 1, 0} // POLLIN
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&waited)), 1, 0, 0, 0, 0)
		if errno == syscall.EINTR {
			continue // the runtime's own signals
		}
		if errno != 0 {
			return errno
		}
		if waited.revents&1 == 0 {
			return errors.New("the daemon has gone")
		}
		return nil
	}
}

// text returns the string that starts at an offset which a record holds.
func text(record []byte, offsetAt int) string {
	offset := native.Uint16(record[offsetAt:])
	if offset == 0 {
		return "?"
	}
	found, _, _ := bytes.Cut(record[offset:], []byte{0})
	return string(found)
}

func describe(record, detail []byte) string {
	kind, info := native.Uint32(record), native.Uint32(record[4:])
	number, subtype := kind&0xffffff, kind>>24
	line := fmt.Sprintf("type %#x subtype %d", number, subtype)
	if known := names[number]; int(subtype) < len(known) {
		line = known[subtype]
	}
	if detail != nil {
		pathAt := 32 // of struct watchq_mount_detail
		if number == typeSuperblock {
			pathAt = 40
		}
		line += " " + text(detail, pathAt)
	}
	switch {
	case number == typeSuperblock && subtype == sbError:
		line += fmt.Sprintf(" error %d", native.Uint32(record[16:]))
	case number == typeMount && subtype == 3, number == typeSuperblock && subtype == 0:
		if info&infoFlag0 != 0 {
			line += " now read-only"
		} else {
			line += " now read-write"
		}
	}
	return line
}

// ask sets the watches; asked again it has everything told again.
func ask(queue *Queue, path string) error {
	const flags = flagDetail | flagSnapshot
	if err := queue.Watch(mountNotify, path, tagMounts, flags); err != nil {
		return err
	}
	return queue.Watch(sbNotify, path, tagSuperblocks, flags|flagAll)
}

// printRecords prints what there is, and says whether some were lost.
func printRecords(queue *Queue) (lost bool, err error) {
	for {
		record, err := queue.Next()
		if record == nil || err != nil {
			return lost, err
		}
		lost = lost || native.Uint32(record[4:])&infoOverrun != 0
		switch native.Uint32(record) & 0xffffff {
		case typeSnapshot:
			fmt.Println("snapshot complete")
		case typeLost:
			fmt.Println("lost", native.Uint64(record[8:]), "records")
		case typeMount, typeSuperblock:
			// It is in the ring together with the record that it explains.
			detail, err := queue.Next()
			if err != nil {
				return lost, err
			}
			fmt.Println(describe(record, detail))
		default:
			fmt.Println(describe(record, nil))
		}
	}
}

func run(file string, pages int, path string) error {
	queue, err := OpenQueue(file, pages)
	if err != nil {
		return err
	}
	fmt.Println("watching", path)
	if err := ask(queue, path); err != nil {
		return err
	}
	for {
		lost, err := printRecords(queue)
		if err != nil {
			return err
		}
		if lost {
			err = ask(queue, path)
		} else {
			err = queue.Wait()
		}
		if err != nil {
			return err
		}
	}
}

func main() {
	mount := os.Getenv("WATCHQ_MOUNT")
	if mount == "" {
		mount = "/watchq"
	}
	file := flag.String("queue", mount+"/queue", "the queue's `FILE`")
	pages := flag.Int("pages", 16, "the ring has `N` pages")
	flag.Parse()
	path := "/"
	if flag.NArg() > 0 {
		path = flag.Arg(0)
	}
	if err := run(*file, *pages, path); err != nil {
		fmt.Fprintln(os.Stderr, "watch:", err)
		os.Exit(1)
	}
}
