// The measure for chat: socket.io on Node, which checks nothing, stores nothing and only passes words on.
const { createServer } = require("node:http");
const { Server } = require("socket.io");

const http = createServer((request, response) => response.writeHead(request.url === "/healthz" ? 200 : 404).end());
const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false, serveClient: false });
let seq = 0;
io.on("connection", (socket) => {
  socket.on("enter_room", ({ room }, answer) => {
    socket.join(`room:${room}`);
    answer({ ok: true, room, last_seq: seq });
  });
  socket.on("write_message", ({ room, body }, answer) => {
    seq += 1;
    const message = { room, seq, id: seq, author: "Member 12", author_id: 12, hue: 3, body, at: new Date().toISOString(), state: "visible" };
    io.to(`room:${room}`).emit("message", message);
    answer({ ok: true, message, repeated: false, held: false, support: null });
  });
});
http.listen(Number(process.env.PORT), "127.0.0.1");
