const separator = '\n';

/** Values by conversation and by a key within it. Only the most recently set are remembered. */
export class RecentByConversation<T> {
  readonly #limit: number;
  #values = new Map<string, T>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(conversation: string, key = ''): T | undefined {
    return this.#values.get(conversation + separator + key);
  }

  set(value: T, conversation: string, key = ''): void {
    const whole = conversation + separator + key;
    this.#values.delete(whole);
    this.#values.set(whole, value);
    const oldest = this.#values.keys().next();
    if (this.#values.size > this.#limit && !oldest.done) this.#values.delete(oldest.value);
  }

  forget(conversations: ReadonlySet<string>): void {
    for (const whole of this.#values.keys()) {
      if (conversations.has(whole.slice(0, whole.indexOf(separator)))) this.#values.delete(whole);
    }
  }

  /** Returns what takes back all that happens from now on. */
  snapshot(): () => void {
    const before = new Map(this.#values);
    return () => {
      this.#values = before;
    };
  }
}
