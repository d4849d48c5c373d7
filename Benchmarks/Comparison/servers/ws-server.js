// Rooms over WebSocket with the `ws` package: /sub/N listens to room N, /pub/N publishes to it, /pubsub/N does both.
// A publication is framed once, and the same buffer is written to the socket of every other member. Where everybody
// publishes, what comes within one turn of the event loop goes out as one write a member.
"use strict";

const { Sender, WebSocketServer } = require("ws");

const rooms = new Map();
const corked = new Set();

function membersOf(room) {
  let members = rooms.get(room);
  if (members === undefined) rooms.set(room, (members = new Set()));
  return members;
}

function uncorkAll() {
  for (const socket of corked) socket.uncork();
  corked.clear();
}

function writeWithinTurn(socket, frame) {
  if (!corked.has(socket)) {
    if (corked.size === 0) setImmediate(uncorkAll);
    corked.add(socket);
    socket.cork();
  }
  socket.write(frame);
}

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[2]), perMessageDeflate: false, backlog: 1024 });

server.on("connection", (connection, request) => {
  const [, role, room] = request.url.split("/");
  const members = membersOf(room);
  const socket = connection._socket;
  socket.setNoDelay(true);
  connection.on("error", () => connection.terminate());
  if (role !== "pub") {
    members.add(socket);
    connection.on("close", () => members.delete(socket));
  }
  if (role === "sub") return;
  connection.on("message", (payload) => {
    const frame = Buffer.concat(Sender.frame(payload, { fin: true, opcode: 2, mask: false, rsv1: false, readOnly: false }));
    for (const member of members) {
      if (member === socket) continue;
      if (role === "pubsub") writeWithinTurn(member, frame);
      else member.write(frame);
    }
  });
});
