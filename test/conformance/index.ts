import { handshakeChecks } from './handshakes.ts';
import { messageChecks } from './messages.ts';
import { streamChecks } from './streams.ts';
import type { Check } from './underTest.ts';
import { webSocketChecks } from './webSockets.ts';

/** What a proxy that decrypts must do so that neither side notices it. */
export const conformanceChecks: readonly Check[] = [
  ...messageChecks,
  ...streamChecks,
  ...webSocketChecks,
  ...handshakeChecks,
];
