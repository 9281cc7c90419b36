import { modelHosts } from '../../../protocol/proxy.ts';
import { type CertificateFacts, certificateFacts } from '../certificateFacts.ts';
import { type Check, type Finding, finding } from '../finding.ts';

const area = 'certificate';
const renewal = 'codex-coach server stop, then codex-coach proxy start: it is made anew';

export const checkCertificate: Check = ({ paths }) => {
  let facts: CertificateFacts | null;
  try {
    facts = certificateFacts(paths.ca);
  } catch (error) {
    return [finding(area, 'broken', `Can't be read: ${(error as Error).message}`, { where: paths.ca, fix: renewal })];
  }
  if (facts === null) return [finding(area, 'note', 'None yet; the proxy makes it when it starts for the first time.')];
  const faults = faultsOf(facts);
  const days = Math.floor((facts.validTo.getTime() - Date.now()) / 86_400_000);
  return faults.length > 0
    ? faults
    : [
        finding(area, 'ok', `Valid for ${days} more days, signs for ${facts.permitted?.length} names only.`, {
          where: facts.caFile,
        }),
      ];
};

function faultsOf(facts: CertificateFacts): Finding[] {
  const { caFile, keyFile, keyMode, directoryMode } = facts;
  const now = Date.now();
  const found: Finding[] = [];
  if (facts.validTo.getTime() < now || facts.validFrom.getTime() > now) {
    found.push(
      finding(area, 'broken', `Valid from ${facts.validFrom.toISOString()} to ${facts.validTo.toISOString()}.`, {
        where: caFile,
        why: 'Agents refuse it.',
        fix: renewal,
      }),
    );
  }
  if (!facts.keyFits) {
    found.push(finding(area, 'broken', 'The key is of another certificate.', { where: keyFile, fix: renewal }));
  }
  if (facts.permitted === null || !facts.constraintsCritical) {
    found.push(
      finding(area, 'broken', 'It may sign for any name.', {
        where: caFile,
        why: 'Whoever gets its key could pose as any site to the agents that trust it.',
        fix: renewal,
      }),
    );
  } else {
    const missing = modelHosts.filter(host => !facts.permitted?.includes(host));
    if (missing.length > 0) {
      const what = `It may not sign for ${missing.join(', ')} yet; the proxy widens it at its next start.`;
      found.push(finding(area, 'note', what, { where: caFile }));
    }
  }
  if (process.platform !== 'win32' && ((keyMode | directoryMode) & 0o077) !== 0) {
    found.push(
      finding(area, 'broken', 'Other users of this machine can reach its key.', {
        where: keyFile,
        fix: `chmod 700 ${caFile.replace(/[^/]+$/, '')} && chmod 600 ${keyFile}`,
      }),
    );
  }
  return found;
}
