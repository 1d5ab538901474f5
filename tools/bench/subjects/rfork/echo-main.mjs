// What the rfork of the subjects beside this file runs: it answers each message with what came.
export default function main(port) {
  for (const msg of port) msg.replymsg(undefined, msg.data);
}
