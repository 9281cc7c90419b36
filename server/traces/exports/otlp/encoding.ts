import { createHash } from 'node:crypto';
import { type OtelName, otelNames } from './names.ts';

/** OTLP/JSON (opentelemetry-proto 1.x, `ExportTraceServiceRequest`): 64-bit numbers are texts, ids are hex. */
export interface OtlpTraces {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly OtlpAttribute[] };
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string; readonly version: string };
      readonly spans: readonly OtlpSpan[];
    }[];
  }[];
}

export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: 1 | 3;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly OtlpAttribute[];
  readonly status: { readonly code: 0 | 2; readonly message?: string };
}

export interface OtlpAttribute {
  readonly key: string;
  readonly value: OtlpValue;
}

type OtlpValue =
  | { readonly stringValue: string }
  | { readonly intValue: string }
  | { readonly doubleValue: number }
  | { readonly arrayValue: { readonly values: readonly OtlpValue[] } };

/** Kinds of span in the protocol: within the agent, and as a client of the model's API. */
export const spanKinds = { internal: 1, client: 3 } as const;

type Value = string | number | readonly string[] | null;

/** Attributes that have a value; whole numbers as integers. */
export function attributesOf(values: { readonly [name in OtelName]?: Value }): OtlpAttribute[] {
  return (Object.entries(values) as [OtelName, Value][]).flatMap(([name, value]) =>
    value === null ? [] : [{ key: otelNames[name], value: encode(value) }],
  );
}

function encode(value: string | number | readonly string[]): OtlpValue {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value !== 'number') return { arrayValue: { values: value.map(stringValue => ({ stringValue })) } };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

/** Ids follow from what they stand for: the same session exported again gives the same spans. */
export function idOf(what: string, sizeBytes: 8 | 16): string {
  return createHash('sha256')
    .update(what)
    .digest('hex')
    .slice(0, sizeBytes * 2);
}

export function toNano(epochMs: number): string {
  return `${BigInt(Math.round(epochMs)) * 1_000_000n}`;
}
