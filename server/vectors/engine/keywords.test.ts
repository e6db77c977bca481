import { describe, expect, it } from 'vitest';
import { queryForms, wordsOf } from './keywords.ts';

/** Whether a query of one word finds a text: one of its forms stands there. */
function finds(query: string, text: string): boolean {
  const words = wordsOf(text);
  return queryForms(query).every((forms) => forms.some((form) => words.has(form)));
}

describe('words of texts', () => {
  it.each([
    ['invoice', 'All invoices are due on the first day of the month'],
    ['running', 'She runs every day and it does her good'],
    ['Rechnung', 'Die Rechnungen sind nicht bezahlt und die Häuser stehen leer'],
    ['Haus', 'Die Häuser stehen leer und niemand ist in der Stadt'],
    ['hauser', 'Die Häuser stehen leer und niemand ist in der Stadt'],
    ['maisons', 'La maison est dans la rue avec un jardin'],
    ['factura', 'Las facturas no han sido pagadas por el cliente'],
    ['contratto', 'I contratti sono stati firmati nella sede della società'],
    ['fiets', 'De fietsen staan in het huis van de buren en dat is niet goed'],
    ['contrato', 'Os contratos não foram assinados pela empresa'],
    ['Příliš', 'příliš žluťoučký kůň'],
    ['zażółć', 'Zażółć gęślą jaźń'],
    ['ПРИВЕТ', 'привет мир'],
    ['Αθήνα', 'Η αθηνα είναι πόλη'],
    ['東京', '私は東京に住んでいます'],
    ['数据库', '向量数据库保存向量'],
    ['서울', '서울에서 살고 있습니다'],
    ['ความลับ', 'นี่คือความลับของเรา'],
    ['xj-900', 'Order the XJ-900 today'],
    ['Ｗｉｄｅ', 'a wide street'],
    ['straße', 'Die STRASSE ist lang'],
  ])('are found by %s, in whatever form and script', (query, text) => {
    expect(finds(query, text)).toBe(true);
  });

  it.each([
    ['quarterly', 'The yearly report is late'],
    ['京都', '東京タワー'],
    ['cat', 'concatenate'],
  ])('are not found by %s when it is another word', (query, text) => {
    expect(finds(query, text)).toBe(false);
  });

  it('are counted, without the words that every text has', () => {
    expect(wordsOf('The cat and the dog and the cats')).toEqual(
      new Map([
        ['cat', 2],
        ['dog', 1],
      ]),
    );
  });

  it('are searched for all the same when a query has no others', () => {
    expect(queryForms('to be or not to be').length).toBeGreaterThan(0);
  });

  it('are none in empty and wordless texts', () => {
    for (const text of ['', ' \n\t', '--- *** !!!', '\u0000', '\ud800']) {
      expect(wordsOf(text).size).toBe(0);
      expect(queryForms(text)).toEqual([]);
    }
  });
});
