// SPDX-License-Identifier: MIT
//
// watch: a watch queue in Rust, with no crate but the standard library.
//
// Prints what happens to the mounts at and below a path and to the filesystems of all of them: what
// is there first, then what changes. Where records were lost it asks again for what is there.
//
//     rustc -O --edition 2021 watch.rs
//     ./watch [--queue FILE] [--pages N] [PATH]
//
//     $ ./watch /srv
//     watching /srv
//     mount new_mount /srv/data
//     snapshot complete
//     snapshot complete
//     superblock readonly /srv/data now read-only

use std::ffi::c_void;
use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Result};
use std::os::raw::{c_int, c_short, c_ulong};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::io::AsRawFd;
use std::sync::atomic::{AtomicU32, Ordering};

// The numbers of <watchq/watch_queue.h>.
const SET_SIZE: c_ulong = (b's' as c_ulong) << 8 | 1;
const MOUNT_NOTIFY: c_ulong = 1 << 30 | 16 << 16 | (b's' as c_ulong) << 8 | 0x10;
const SB_NOTIFY: c_ulong = 1 << 30 | 16 << 16 | (b's' as c_ulong) << 8 | 0x11;

const DETAIL: u32 = 0x1;
const ALL: u32 = 0x4;
const SNAPSHOT: u32 = 0x8;

const TYPE_META: u32 = 0;
const TYPE_MOUNT: u32 = 1;
const TYPE_SUPERBLOCK: u32 = 2;
const TYPE_SNAPSHOT: u32 = 0x800001;
const TYPE_LOST: u32 = 0x800002;

const INFO_OVERRUN: u32 = 0x1;
const INFO_LENGTH: u32 = 0x1f8;
const INFO_FLAG_0: u32 = 0x10000;

const MOUNTS: i32 = 1; // tags
const SUPERBLOCKS: i32 = 2;

// What the C library has; the crate libc declares the same.
const O_PATH: c_int = 0x200000;
const POLLIN: c_short = 1;

#[repr(C)]
struct PollFd {
    fd: c_int,
    events: c_short,
    revents: c_short,
}

#[repr(C)]
struct Watch {
    size: u32,
    object: i32,
    tag: i32,
    flags: u32,
}

extern "C" {
    fn ioctl(fd: c_int, request: c_ulong, ...) -> c_int;
    fn mmap(
        address: *mut c_void,
        length: usize,
        protection: c_int,
        flags: c_int,
        fd: c_int,
        offset: isize,
    ) -> *mut c_void;
    fn munmap(address: *mut c_void, length: usize) -> c_int;
    fn poll(fds: *mut PollFd, count: c_ulong, timeout: c_int) -> c_int;
}

fn check(result: c_int) -> Result<()> {
    match result {
        0.. => Ok(()),
        _ => Err(Error::last_os_error()),
    }
}

/// A record, copied out of the ring.
struct Record(Vec<u8>);

impl Record {
    fn word(&self, at: usize) -> u32 {
        u32::from_ne_bytes(self.0[at..at + 4].try_into().unwrap())
    }

    fn kind(&self) -> u32 {
        self.word(0) & 0xffffff
    }

    fn subtype(&self) -> usize {
        (self.word(0) >> 24) as usize
    }

    fn info(&self) -> u32 {
        self.word(4)
    }

    /// The text that starts at an offset which the record holds.
    fn text(&self, offset_at: usize) -> String {
        let bytes = &self.0[offset_at..offset_at + 2];
        match u16::from_ne_bytes(bytes.try_into().unwrap()) {
            0 => "?".to_string(),
            offset => {
                let text = self.0[offset as usize..].split(|&byte| byte == 0).next();
                String::from_utf8_lossy(text.unwrap_or_default()).into_owned()
            }
        }
    }
}

/// An open queue with its ring.
struct Queue {
    file: File,
    ring: *mut u8,
    size: usize,
}

impl Queue {
    /// `pages` of 4096 bytes, a power of two.
    fn open(path: &str, pages: usize) -> Result<Queue> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let size = pages * 4096;
        let fd = file.as_raw_fd();
        check(unsafe { ioctl(fd, SET_SIZE, pages as c_ulong) })?;
        // PROT_READ | PROT_WRITE, MAP_SHARED
        let ring = unsafe { mmap(std::ptr::null_mut(), size, 3, 1, fd, 0) };
        if ring as isize == -1 {
            return Err(Error::last_os_error());
        }
        Ok(Queue {
            file,
            ring: ring as *mut u8,
            size,
        })
    }

    /// Sets a watch, or has an earlier one of the same tag told once more.
    fn watch(&self, request: c_ulong, path: &str, tag: i32, flags: u32) -> Result<()> {
        // The kernel finds the path and checks our rights; the daemon gets to know the result.
        // Closed again at the end of this: it would keep the mount busy.
        let place = OpenOptions::new()
            .read(true)
            .custom_flags(O_PATH)
            .open(path)?;
        let watch = Watch {
            size: 16,
            object: place.as_raw_fd(),
            tag,
            flags,
        };
        check(unsafe { ioctl(self.file.as_raw_fd(), request, &watch) })
    }

    /// The ring's own words: 2 is head, 3 is tail.
    fn index(&self, number: usize) -> &AtomicU32 {
        unsafe { &*(self.ring.add(4 * number) as *const AtomicU32) }
    }

    /// The next record; None when there is none now.
    fn next(&self) -> Result<Option<Record>> {
        loop {
            let tail = self.index(3).load(Ordering::Relaxed); // only we write it
            let head = self.index(2).load(Ordering::Acquire);
            if head == tail {
                return Ok(None);
            }
            let start = tail as usize % (self.size / 8) * 8;
            let info = self.index(start / 4 + 1).load(Ordering::Relaxed);
            let length = (info & INFO_LENGTH) as usize;
            let waiting = head.wrapping_sub(tail) as usize * 8;
            if length == 0 || length > waiting || start + length > self.size {
                return Err(Error::new(
                    ErrorKind::InvalidData,
                    "the ring makes no sense",
                ));
            }
            let mut record = Record(vec![0; length]);
            unsafe {
                self.ring
                    .add(start)
                    .copy_to_nonoverlapping(record.0.as_mut_ptr(), length);
            }
            // After the copy: from here on the daemon may write over it.
            let after = tail.wrapping_add((length / 8) as u32);
            self.index(3).store(after, Ordering::Release);
            if record.word(0) != 0 {
                return Ok(Some(record)); // 0 is padding
            }
        }
    }

    /// Waits until there may be records.
    fn wait(&self) -> Result<()> {
        let mut waited = PollFd {
            fd: self.file.as_raw_fd(),
            events: POLLIN,
            revents: 0,
        };
        check(unsafe { poll(&mut waited, 1, -1) })?;
        match waited.revents & POLLIN {
            0 => Err(Error::new(ErrorKind::NotConnected, "the daemon has gone")),
            _ => Ok(()),
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        unsafe { munmap(self.ring as *mut c_void, self.size) };
    }
}

fn name(record: &Record) -> String {
    let names: &[&str] = match record.kind() {
        TYPE_META => &["meta skip", "meta removal"],
        TYPE_MOUNT => &[
            "mount new_mount",
            "mount unmount",
            "mount expiry",
            "mount readonly",
            "mount setattr",
            "mount move_from",
            "mount move_to",
        ],
        TYPE_SUPERBLOCK => &[
            "superblock readonly",
            "superblock error",
            "superblock edquot",
            "superblock network",
        ],
        _ => &[],
    };
    match names.get(record.subtype()) {
        Some(name) => name.to_string(),
        None => format!("type {:#x} subtype {}", record.kind(), record.subtype()),
    }
}

/// What is behind the path in a line: whether read-only, and which error.
fn state(record: &Record) -> String {
    match (record.kind(), record.subtype()) {
        (TYPE_SUPERBLOCK, 1) => format!(" error {}", record.word(16)),
        (TYPE_MOUNT, 3) | (TYPE_SUPERBLOCK, 0) => match record.info() & INFO_FLAG_0 {
            0 => " now read-write".to_string(),
            _ => " now read-only".to_string(),
        },
        _ => String::new(),
    }
}

/// Sets the watches; asked again it has everything told again.
fn ask(queue: &Queue, path: &str) -> Result<()> {
    queue.watch(MOUNT_NOTIFY, path, MOUNTS, DETAIL | SNAPSHOT)?;
    queue.watch(SB_NOTIFY, path, SUPERBLOCKS, DETAIL | SNAPSHOT | ALL)
}

/// Prints all records that there are. Returns whether some were lost before one of them.
fn print_records(queue: &Queue) -> Result<bool> {
    let mut lost = false;
    while let Some(record) = queue.next()? {
        lost |= record.info() & INFO_OVERRUN != 0;
        match record.kind() {
            TYPE_SNAPSHOT => println!("snapshot complete"),
            TYPE_LOST => {
                let count = u64::from_ne_bytes(record.0[8..16].try_into().unwrap());
                println!("lost {} records", count);
            }
            kind @ (TYPE_MOUNT | TYPE_SUPERBLOCK) => {
                // Its detail is in the ring together with it.
                let path_at = if kind == TYPE_MOUNT { 32 } else { 40 };
                let path = queue
                    .next()?
                    .map_or("?".to_string(), |detail| detail.text(path_at));
                println!("{} {}{}", name(&record), path, state(&record));
            }
            _ => println!("{}", name(&record)),
        }
    }
    Ok(lost)
}

fn run() -> Result<()> {
    let mount = std::env::var("WATCHQ_MOUNT").unwrap_or_else(|_| "/watchq".to_string());
    let (mut file, mut pages, mut path) = (mount + "/queue", 16, "/".to_string());
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--queue" => file = words.next().unwrap_or_default(),
            "--pages" => pages = words.next().and_then(|n| n.parse().ok()).unwrap_or(0),
            _ => path = word,
        }
    }
    let queue = Queue::open(&file, pages)?;
    println!("watching {}", path);
    ask(&queue, &path)?;
    loop {
        if print_records(&queue)? {
            ask(&queue, &path)?;
        } else {
            queue.wait()?;
        }
    }
}

fn main() {
    if let Err(error) = run() {
        eprintln!("watch: {}", error);
        std::process::exit(1);
    }
}
