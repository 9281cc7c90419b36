import * as z from 'zod';

/** Every fault a user can meet. Closed: a new code is added here, with the place that words its hint. */
export const errorCodes = [
  'input.invalid',
  'internal',
  'cancelled',
  'disk.readOnly',
  'disk.full',
  'schema.newer',
  'server.unreachable',
  'server.denied',
  'folder.missing',
  'http.portInUse',
  'cost.unconfirmed',
  'git.missing',
  'git.notARepository',
  'git.noCommit',
  'git.dirty',
  'git.detached',
  'git.submodules',
  'git.failed',
  'proxy.portInUse',
  'proxy.stopped',
  'proxy.upstream',
  'proxy.refused',
  'replay.mismatch',
  'session.missing',
  'export.failed',
  'recording.active',
  'recording.missing',
  'task.missing',
  'task.invalid',
  'task.empty',
  'task.secrets',
  'task.leak',
  'task.unsupported',
  'task.alreadySolved',
  'task.referenceFails',
  'task.unproven',
  'task.cheatable',
  'suite.missing',
  'agent.unknown',
  'agent.missing',
  'agent.installFailed',
  'agent.failed',
  'agent.noKey',
  'executor.unknown',
  'executor.unavailable',
  'docker.unavailable',
  'docker.imageMissing',
  'docker.imageChanged',
  'docker.failed',
  'sandbox.failed',
  'sandbox.diskSpent',
  'verifier.failed',
  'judge.missing',
  'judge.failed',
  'run.missing',
  'trial.missing',
  'comment.missing',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export const ErrorShape = z.object({
  code: z.enum(errorCodes),
  message: z.string(),
  hint: z.string().nullable().default(null),
});
export type ErrorShape = z.infer<typeof ErrorShape>;

/** JSON-RPC 2.0 numbers: bad parameters, a named fault of ours, and a cancelled request (LSP 3.17). */
export const rpcCodes = {
  ...{ noMethod: -32601, invalidParams: -32602, internal: -32603 },
  ...{ coach: -32000, cancelled: -32800 },
} as const;

/** The one error class. `message` says what is wrong, `hint` what the user can do about it. */
export class CoachError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | null;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; hint?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CoachError';
    this.code = code;
    this.hint = options.hint ?? null;
  }

  toShape(): ErrorShape {
    return { code: this.code, message: this.message, hint: this.hint };
  }

  static fromShape(shape: ErrorShape): CoachError {
    return new CoachError(shape.code, shape.message, shape.hint === null ? {} : { hint: shape.hint });
  }

  /** Any thrown value as a CoachError; what we did not foresee becomes `internal`, aborts become `cancelled`. */
  static from(error: unknown): CoachError {
    if (error instanceof CoachError) return error;
    if (error instanceof Error && error.name === 'AbortError') {
      return new CoachError('cancelled', 'Cancelled.', { cause: error });
    }
    const message = error instanceof Error ? error.message : String(error);
    return new CoachError('internal', message, { cause: error });
  }
}

/** Ends a `switch` over a union: a forgotten case does not compile. */
export function assertNever(value: never): never {
  throw new Error(`Unexpected value: ${JSON.stringify(value)}`);
}
