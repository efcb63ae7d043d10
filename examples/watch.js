#!/usr/bin/env node
// SPDX-License-Identifier: MIT
//
// watch.js: the stream of events in Node, with nothing but what Node has.
//
//     node watch.js [PATH]
//
// Keeps a list of the mounts at and below PATH and prints what happens to them and to their
// filesystems. Where it was too slow and events were lost, it takes the list anew.
//
//     $ node watch.js /srv
//     there /srv/data
//     watching /srv
//     superblock readonly /srv/data: filesystem /srv/data is now read-only

"use strict";
const fs = require("fs");
const path = require("path");
const readline = require("readline");

const watchq = process.env.WATCHQ_MOUNT || "/watchq";
const top = path.resolve(process.argv[2] || "/");
const mounts = new Map(); // mount points by the mount's ID

function isBelow(place) {
  return place !== undefined && (place === top || place.startsWith(top === "/" ? "/" : top + "/"));
}

// What is mounted now: a document for each mount.
function takeList() {
  mounts.clear();
  for (const id of fs.readdirSync(path.join(watchq, "mounts"))) {
    try {
      const mount = JSON.parse(fs.readFileSync(path.join(watchq, "mounts", id), "utf8"));
      if (isBelow(mount.mount_point)) mounts.set(mount.id, mount.mount_point);
    } catch (error) {
      if (error.code !== "ENOENT") throw error; // else it has gone meanwhile
    }
  }
  for (const place of mounts.values()) console.log(`there ${place}`);
}

function handle(event) {
  if (event.type === "lost") {
    console.log(`lost ${event.count} events`);
    takeList();
  } else if (isBelow(event.path)) {
    if (event.type === "mount") {
      const gone = ["unmount", "expiry", "move_from"].includes(event.subtype);
      if (gone) mounts.delete(event.mount);
      else mounts.set(event.mount, event.path);
    }
    console.log(`${event.type} ${event.subtype} ${event.path}: ${event.message}`);
  }
}

async function main() {
  // Opened before the list is taken, so that nothing is missed between the two.
  const stream = fs.createReadStream(null, { fd: fs.openSync(path.join(watchq, "events.json")) });
  takeList();
  console.log(`watching ${top}`);
  for await (const line of readline.createInterface({ input: stream })) {
    handle(JSON.parse(line));
  }
}

main().catch((error) => {
  // The second where it goes in the middle of a read.
  const gone = ["ENOTCONN", "ECONNABORTED"].includes(error.code);
  console.error(`watch.js: ${gone ? "the daemon has gone" : error}`);
  process.exit(1);
});
