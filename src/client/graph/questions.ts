// Questions to the hub that are answered once, and asked again when the link has been down meanwhile.
import type { FlockworkError } from "../../ids/index.js";
import type { MessageOf } from "../../wire/index.js";

type Question = MessageOf<"survey"> | MessageOf<"kept_names">;
type Unnumbered = Omit<MessageOf<"survey">, "request"> | Omit<MessageOf<"kept_names">, "request">;
type Answer = MessageOf<"fleet"> | MessageOf<"names">;

interface Asked {
  readonly question: Question;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

export class Questions {
  readonly #send: (question: Question) => void;
  readonly #asked = new Map<number, Asked>();
  #next = 0;
  #closed: FlockworkError | undefined = undefined;

  constructor(send: (question: Question) => void) {
    this.#send = send;
  }

  ask(question: Unnumbered): Promise<Answer> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    const request = this.#next++;
    const numbered: Question = { ...question, request };
    return new Promise((resolve, reject) => {
      this.#asked.set(request, { question: numbered, resolve, reject });
      this.#send(numbered);
    });
  }

  answered(answer: Answer): void {
    const asked = this.#asked.get(answer.request);
    this.#asked.delete(answer.request);
    asked?.resolve(answer);
  }

  resend(): void {
    for (const { question } of this.#asked.values()) this.#send(question);
  }

  close(error: FlockworkError): void {
    this.#closed = error;
    for (const { reject } of this.#asked.values()) reject(error);
    this.#asked.clear();
  }
}
