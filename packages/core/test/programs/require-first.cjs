// A CommonJS program: require() first, import() after. See worker.test.ts.
const { create, curthread, Msg, MsgPort, run, sleep, wait } = require('@libcr/core');

run(() => {
  const imported = wait(import('@libcr/core'));
  const port = new imported.MsgPort('p');
  const server = create(() => {
    for (const msg of port) msg.replymsg(undefined, msg instanceof Msg);
  });
  sleep(1);
  const answer = port.domsg(new imported.Msg(1));
  port.close();
  server.join();
  return { answer, same: imported.MsgPort === MsgPort, thread: imported.curthread() === curthread() };
}).then((result) => console.log(JSON.stringify(result)));
