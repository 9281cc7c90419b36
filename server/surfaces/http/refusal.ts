import { CoachError, type ErrorCode } from '../../../protocol/errors.ts';

/** A request that is refused as HTTP, before anything is asked of the server. */
export class Refusal extends CoachError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    message: string,
    options: { code?: ErrorCode; hint?: string; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(options.code ?? 'input.invalid', message, options.hint === undefined ? {} : { hint: options.hint });
    this.status = status;
    this.headers = options.headers ?? {};
  }
}

const statuses: Partial<Record<ErrorCode, number>> = {
  'input.invalid': 400,
  'cost.unconfirmed': 402,
  'session.missing': 404,
  'recording.missing': 404,
  'task.missing': 404,
  'suite.missing': 404,
  'run.missing': 404,
  'trial.missing': 404,
  'comment.missing': 404,
  'recording.active': 409,
  'git.dirty': 409,
  'git.detached': 409,
  'git.noCommit': 409,
  'proxy.portInUse': 409,
  internal: 500,
  'disk.readOnly': 500,
  'schema.newer': 500,
  'proxy.upstream': 502,
  cancelled: 503,
  'server.unreachable': 503,
  'server.denied': 503,
  'docker.unavailable': 503,
  'executor.unavailable': 503,
  'disk.full': 507,
};

/** Of what is understood and can't be done as things stand, such as a task that is not prepared. */
const unprocessable = 422;

/** The HTTP status of a fault. */
export function statusOf(error: CoachError): number {
  return error instanceof Refusal ? error.status : (statuses[error.code] ?? unprocessable);
}
