import type { Clause } from './clause.ts';

/** The chat on customers' websites: in its visitor's browser, and on the server. */
const inTheBrowser: readonly Clause[] = [
  {
    id: 'P22',
    wording: 'c7607c6a132d10cd',
    modules: ['web/widget/src/frame/chat.ts', 'contract/aimee-widget.ts'],
    tests: [
      'acceptance/widget-access.test.ts › is told at once that this is an AI, and finds the privacy text of the site',
    ],
  },
  {
    id: 'P23',
    wording: 'e02e3b0e7d3c3e33',
    modules: ['web/widget/src/loader/frame-document.ts', 'web/widget/src/frame/main.ts'],
    tests: [
      'acceptance/widget-privacy.test.ts › nothing is stored: before, during and after a conversation',
      'acceptance/widget-privacy.test.ts › nothing is read that could tell one visitor from another',
      'acceptance/widget-build.test.ts › does not so much as name what could remember, observe or measure a visitor',
      'acceptance/aimee-server.test.ts › gets no cookie, no credential and no way to read',
      'acceptance/aimee-server.test.ts › gets the widget as one unchanging file without a mark',
    ],
  },
  {
    id: 'P24',
    wording: '4d03a8c19f48cc37',
    modules: ['web/widget/src/loader/launcher.ts', 'web/widget/src/frame/server.ts'],
    tests: [
      'acceptance/widget-privacy.test.ts › a hundred openings, and their names are not even looked up',
      'acceptance/widget-privacy.test.ts › a crash sends nothing',
      'acceptance/widget-privacy.test.ts › a page that does connect early is seen',
    ],
  },
  {
    id: 'P25',
    wording: 'bbf309f2765cd869',
    modules: ['web/widget/src/frame/composer.ts', 'web/widget/src/frame/server.ts'],
    tests: [
      'acceptance/widget-privacy.test.ts › then Submit sends what stands there, and nothing that once stood there',
      'acceptance/widget-chat.test.ts › is sent once, with nothing beside it but where it was asked',
    ],
    open: {
      en: 'Not kept yet in full: the message is encrypted as far as this server, and not sealed for the assistant alone.',
      de: 'Noch nicht ganz eingelöst: Die Nachricht ist bis zu diesem Server verschlüsselt, nicht für den Assistenten allein versiegelt.',
    },
  },
  {
    id: 'P26',
    wording: '8345ba370086bf74',
    modules: ['web/widget/src/frame/composer.ts', 'web/widget/src/frame/parts.ts'],
    tests: [
      'acceptance/widget-privacy.test.ts › nobody listens but the buttons, the form, and Enter',
      'acceptance/widget-privacy.test.ts › typing, pasting and deleting send nothing',
      'acceptance/widget-privacy.test.ts › moving, scrolling, leaving, hiding and resizing send nothing',
      'acceptance/widget-privacy.test.ts › neither drafts, questions nor answers are on the disk of the visitor, after the browser has closed',
      'hostile/widget.test.ts › hears no key, no click and no message of the conversation',
    ],
  },
];

const onTheServer: readonly Clause[] = [
  {
    id: 'P27',
    wording: '2858d7c448b12b3b',
    modules: ['server/aimee/customers.ts', 'server/stores/aimee-store.ts'],
    tests: [
      'acceptance/aimee-server.test.ts › cannot go on with a conversation of another site, whatever ticket and turns he brings',
      'server/aimee/secrecy.test.ts › get each their own visitors’ messages and no other, though many are called off midway',
      'hostile/access.test.ts › conversations, documents, uploads and grants of others are what does not exist',
    ],
  },
  {
    id: 'P28',
    wording: 'f810bbfb2ab847aa',
    modules: ['server/aimee/conversation-keys.ts', 'server/stores/sqlite.ts'],
    tests: [
      'server/stores/sqlite.test.ts › writes no plaintext to main file, log or temporary file, big sorts included',
      'privacy/aimee.test.ts › on disk, in backups, logs or temporary files, and nothing of what customers know or set either',
      'privacy/aimee.test.ts › to whoever has the disk and every key of the service: what opens is what the data map says',
      'server/aimee/secrecy.test.ts › opens with both halves of its key and with neither alone',
      'privacy/aimee.test.ts › the harness catches',
    ],
  },
  {
    id: 'P29',
    wording: '8cae5ee6e4cc50de',
    modules: ['server/aimee/conversation-reader.ts', 'server/aimee/sites.ts'],
    tests: [
      'acceptance/aimee-server.test.ts › gets no cookie, no credential and no way to read',
      'hostile/access.test.ts › is, for %s, what does not exist',
      'hostile/access.test.ts › is refused to %s, as everything is',
      'hostile/access.test.ts › tells of nobody but who asks',
      'server/aimee/secrecy.test.ts › is nobody else’s, whichever way he asks',
    ],
  },
  {
    id: 'P30',
    wording: 'b40db20f4c3f2046',
    modules: ['server/aimee/grants.ts', 'server/aimee/open-grants.ts', 'server/stores/aimee-access.ts'],
    tests: [
      'acceptance/portal-aimee.test.ts › reads what it was lent, while it is lent, and the customer sees it',
      'acceptance/portal-aimee.test.ts › has no other way in: neither to the site nor to its conversations',
      'privacy/aimee.test.ts › to the staff with disk, backups, every key of the service, and a key of its own account',
      'hostile/access.test.ts › lets the owner read what it names, and is nothing before, after, and for any other one',
      'server/aimee/grants.test.ts › ends the moment its customer says so, for reads under way too',
      'server/aimee/grants.test.ts › shows %s',
    ],
  },
  {
    id: 'P31',
    wording: 'ae14de1556b8f815',
    modules: ['server/aimee/answering.ts', 'server/aimee/mails.ts', 'server/aimee/conversations.ts'],
    tests: [
      'privacy/aimee.test.ts › to any host but the declared ones: the model and the mail server of the installation',
      'privacy/aimee.test.ts › to the mail server, which hears who asks for a person and what he wrote to be sent',
      'hostile/access.test.ts › only one’s own is counted: there is no route over several sites, and no figure over several customers',
      'privacy/contract.test.ts › are opened by declared modules alone, for the purposes that stand there',
    ],
  },
  {
    id: 'P32',
    wording: '9e24722dddee7440',
    modules: ['server/aimee/purges.ts', 'server/aimee/retention.ts'],
    tests: [
      'acceptance/portal-aimee.test.ts › takes one conversation, from where it is read',
      'acceptance/portal-aimee.test.ts › takes one visitor by his reference, and says when there is none of it',
      'acceptance/portal-aimee.test.ts › takes a span of days',
      'acceptance/portal-aimee.test.ts › takes all, once the name is typed, and leaves the statistics',
      'acceptance/aimee-server.test.ts › resets statistics without touching conversations, and purges without touching statistics',
      'server/aimee/retention.test.ts › go too early by what the clock is ahead when it stays so, and stay while it stands still',
    ],
  },
  {
    id: 'P33',
    wording: '67c7298e1197f6f7',
    modules: ['server/aimee/purges.ts', 'server/keys/key-ring.ts'],
    tests: [
      'server/stores/key-store.test.ts › keys made together are durable together, and destroyed together leave no byte',
      'acceptance/portal-aimee.test.ts › of the whole site leaves nothing, and its chat answers nobody',
      'privacy/aimee.test.ts › and to nobody after a purge, not from copies and backups of before either: not even to the customer',
      'privacy/aimee.test.ts › the harness catches',
    ],
  },
];

/** The text that customers take into policies of their own: the same promises once more. */
const forPolicies: readonly Clause[] = [
  {
    id: 'P34',
    wording: '45f70091819c0ce3',
    modules: ['web/widget/src/loader/frame-document.ts'],
    tests: ['acceptance/widget-privacy.test.ts › nothing is stored: before, during and after a conversation'],
  },
  {
    id: 'P35',
    wording: 'b4447654b3415499',
    modules: ['web/widget/src/frame/composer.ts'],
    tests: [
      'acceptance/widget-privacy.test.ts › then Submit sends what stands there, and nothing that once stood there',
      'acceptance/widget-privacy.test.ts › closing, opening again and going away with a draft send nothing',
      'hostile/widget.test.ts › cannot submit, type or press inside',
    ],
  },
  {
    id: 'P36',
    wording: '0c4919abad139010',
    modules: ['server/aimee/customers.ts', 'server/aimee/conversation-keys.ts'],
    tests: [
      'privacy/aimee.test.ts › on disk, in backups, logs or temporary files, and nothing of what customers know or set either',
      'privacy/aimee.test.ts › to the staff with disk, backups, every key of the service, and a key of its own account',
      'privacy/aimee.test.ts › and to nobody after a purge, not from copies and backups of before either: not even to the customer',
      'hostile/access.test.ts › is, for %s, what does not exist',
      'hostile/access.test.ts › is refused to %s, as everything is',
    ],
  },
  {
    id: 'P37',
    wording: '30ab285f34fb762e',
    modules: [
      'server/aimee/conversation-reader.ts',
      'server/aimee/open-grants.ts',
      'server/aimee/answering.ts',
    ],
    tests: [
      'privacy/contract.test.ts › are opened by declared modules alone, for the purposes that stand there',
      'privacy/aimee.test.ts › to whoever has the disk and every key of the service: what opens is what the data map says',
      'privacy/aimee.test.ts › to any host but the declared ones: the model and the mail server of the installation',
      'hostile/access.test.ts › only one’s own is counted: there is no route over several sites, and no figure over several customers',
      'hostile/access.test.ts › lets the owner read what it names, and is nothing before, after, and for any other one',
    ],
  },
  {
    id: 'P38',
    wording: '72221e7b87ec9aa2',
    modules: [
      'server/aimee/purges.ts',
      'server/aimee/visitor-requests.ts',
      'server/rights/requests.ts',
      'server/rights/deadline.ts',
    ],
    tests: [
      'acceptance/portal-aimee.test.ts › takes one visitor by his reference, and says when there is none of it',
      'server/aimee/visitor-requests.test.ts › to erasure destroys the conversation; what was asked stays without naming it',
      'server/aimee/visitor-requests.test.ts › is nobody’s who does not know the reference, and no other customer’s',
      'server/aimee/visitor-requests.test.ts › is called out by the hourly round, once',
      'server/aimee/visitor-requests.test.ts › is called out while the use of its customer’s data is restricted, and nothing else is done',
      'server/rights/requests.test.ts › that came by letter cannot be carried out before the person has confirmed it',
      'server/rights/requests.test.ts › is told once when it is late in its month, without a name, and again in its last week',
      'server/rights/deadline.test.ts › ends on no holiday that the operator has listed, once or for every year',
    ],
  },
];

export const visitorClauses = [...inTheBrowser, ...onTheServer, ...forPolicies];
