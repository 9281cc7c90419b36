import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { secretsOf } from '../../protocol/secretVariables.ts';
import { LogFile } from './logFile.ts';
import { KnownValues } from './redact/knownValues.ts';
import { redact } from './redact/redact.ts';
import { environmentSettings } from './settings.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

/** Structured, redacted log. `child` adds fields to every line. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  child(fields: LogFields): Log;
}

export interface LogOptions {
  readonly debug: boolean;
  /** Values that are secret wherever they stand, beside what looks like a secret. */
  readonly known?: KnownValues;
}

/** As the environment of this process wants it. */
export function logOptions(env: NodeJS.ProcessEnv): Required<LogOptions> {
  return { debug: environmentSettings(env).get('log.debug'), known: new KnownValues(secretsOf(env)) };
}

/** A log that hands each line, redacted and as one line of JSON, to `write`. */
export function createLog(write: (line: string) => void, options: LogOptions): Log {
  const build = (base: LogFields): Log => {
    const put = (level: LogLevel) => (message: string, fields?: LogFields) => {
      if (level === 'debug' && !options.debug) return;
      const entry = { at: new Date().toISOString(), level, message, ...base, ...toPlain(fields) };
      write(`${redact(JSON.stringify(entry), options.known)}\n`);
    };
    return {
      debug: put('debug'),
      info: put('info'),
      warn: put('warn'),
      error: put('error'),
      child: fields => build({ ...base, ...fields }),
    };
  };
  return build({});
}

/** A log into `<directory>/<name>-<start>.log`; a full or read-only disk delays it and breaks nothing. */
export function fileLog(
  directory: string,
  name: string,
  options: LogOptions,
): { log: Log; file: string; close(): Promise<void> } {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, `${name}-${new Date().toISOString().replaceAll(/[:.]/g, '-')}-${process.pid}.log`);
  const lines = new LogFile(file);
  return { log: createLog(line => lines.write(line), options), file, close: () => lines.close() };
}

export const silentLog: Log = createLog(() => undefined, { debug: false });

function toPlain(fields: LogFields | undefined): LogFields {
  if (fields === undefined) return {};
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      value instanceof Error
        ? { name: value.name, message: value.message, stack: value.stack, cause: String(value.cause ?? '') }
        : value,
    ]),
  );
}
