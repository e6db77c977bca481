/** The few sentences that an assistant says without a model. */
interface Phrases {
  /** The knowledge does not say. */
  readonly unknown: string;
  /** Before passages that are quoted as they stand. */
  readonly quotes: string;
}

const PHRASES: Readonly<Record<string, Phrases>> = {
  en: {
    unknown: 'I could not find that in what I know about this site.',
    quotes: 'This is what the site says about it, word for word:',
  },
  de: {
    unknown: 'Dazu habe ich in dem, was ich über diese Website weiß, nichts gefunden.',
    quotes: 'Das steht dazu auf der Website, Wort für Wort:',
  },
  fr: {
    unknown: 'Je n’ai rien trouvé à ce sujet dans ce que je sais de ce site.',
    quotes: 'Voici ce que le site en dit, mot pour mot :',
  },
  es: {
    unknown: 'No he encontrado nada sobre eso en lo que sé de este sitio.',
    quotes: 'Esto es lo que dice el sitio al respecto, palabra por palabra:',
  },
  it: {
    unknown: 'Non ho trovato nulla al riguardo in ciò che so di questo sito.',
    quotes: 'Ecco che cosa dice il sito in proposito, parola per parola:',
  },
  pt: {
    unknown: 'Não encontrei nada sobre isso no que sei deste site.',
    quotes: 'É isto que o site diz a respeito, palavra por palavra:',
  },
  nl: {
    unknown: 'Daarover heb ik niets gevonden in wat ik over deze site weet.',
    quotes: 'Dit staat er op de site over, woord voor woord:',
  },
  pl: {
    unknown: 'Nie znalazłem nic na ten temat w tym, co wiem o tej stronie.',
    quotes: 'Oto co strona mówi na ten temat, słowo w słowo:',
  },
};

/** In the first of these BCP 47 languages that is known, else in English. */
export function phrasesOf(...languages: readonly (string | null | undefined)[]): Phrases {
  for (const language of languages) {
    const found = PHRASES[(language ?? '').toLowerCase().split('-')[0] ?? ''];
    if (found !== undefined) return found;
  }
  return PHRASES['en'] as Phrases;
}
