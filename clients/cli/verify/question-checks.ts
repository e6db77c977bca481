import type * as contract from '@jellyfaas/contract';
import type { AiModels } from '../api.ts';
import { RECORD_FIELDS, waitForRecords } from './call-checks.ts';
import { faultIf, fieldFaults } from './findings.ts';
import type { Installation, Part } from './installation.ts';
import { expectJson } from './visit.ts';

const MODELS = '/api/v1/ai/models';

/** Questions to models of this installation; outside ones are not asked, they cost and keep what they like. */
export const questionPart: Part = {
  name: 'questions',
  clauses: ['P7', 'P8', 'P9'],
  async run(installation) {
    const { guest, contract, findings } = installation;
    const { models } = expectJson<AiModels>(await guest.visit(MODELS), MODELS);
    const stated = contract.facts.models.filter(({ use }) => use === 'chat');
    findings.check(['P9'], 'Compared the models that can be asked with those of the contract', {
      faults: faultIf(models.length > stated.length, 'a model can be asked that the contract does not name'),
      observed:
        stated.length === 0 ? 'there is none' : `${stated.length} in the contract, ${models.length} on offer`,
    });
    const own = models.find(({ isOutside }) => !isOutside);
    if (own === undefined) {
      const why = models.length === 0 ? 'no model is configured' : 'all models are outside ones';
      findings.skip(['P7', 'P8'], 'A question with a canary', `${why}, so nothing was asked`);
      return;
    }
    await checkQuestion(installation, own.platform);
  },
};

async function checkQuestion(installation: Installation, platform: string): Promise<void> {
  const { guest, run, findings } = installation;
  const json = { question: `What does ${run.mark('question')} mean?`, platform };
  const { status } = await guest.visit('/api/v1/ai/query', { json });
  const [record] = questionsIn(await waitForRecords(installation, (all) => questionsIn(all).length > 0));
  findings.check(['P7', 'P8'], `Asked ${platform} with a canary in the question, and read the record`, {
    faults:
      record === undefined
        ? ['there is no record of it']
        : fieldFaults(record, [...RECORD_FIELDS, 'kind'], []),
    observed: `answered ${status}; the record has ${RECORD_FIELDS.join(', ')} and nothing of model, tokens or tools`,
  });
}

function questionsIn(records: contract.Calls['calls']): contract.Calls['calls'] {
  return records.filter(({ kind }) => kind === 'question');
}
