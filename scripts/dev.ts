// Builds and keeps building while files change: `npm run dev`, then start the extension from the editor (F5).
import { hostTarget, watch } from './build.ts';

await watch(hostTarget());
