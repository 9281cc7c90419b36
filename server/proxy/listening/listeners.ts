import { createServer, type Server, type Socket } from 'node:net';

/** What a proxy listens on, and who is connected there. */
export class Listeners {
  readonly #listening = new Set<Server>();
  readonly #sockets = new Set<Socket>();

  /** One that does not listen yet: `add` it when it does. */
  create(serve: (socket: Socket) => void): Server {
    return createServer({ allowHalfOpen: true, noDelay: true }, socket => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      serve(socket);
    });
  }

  add(listener: Server): void {
    this.#listening.add(listener);
  }

  /** Takes no more connections; resolves when those that it has are gone. */
  close(listener: Server): Promise<void> {
    this.#listening.delete(listener);
    return new Promise(resolve => listener.close(() => resolve()));
  }

  /** Leaves the ports to others. Sockets in the file system are ours alone. */
  leavePorts(): void {
    for (const listener of this.#listening) if (typeof listener.address() !== 'string') void this.close(listener);
  }

  async dispose(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([...this.#listening].map(listener => this.close(listener)));
  }
}
