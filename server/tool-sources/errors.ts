import { PlatformError, notFound } from '../kernel/errors.ts';

/**
 * What goes wrong with outside MCP servers, in our own words: nothing that a server says, and nothing of its address,
 * is passed on, not even as a cause.
 */
export const sourceErrors = {
  notFound: () => notFound('source'),
  unreadable: () =>
    new PlatformError({
      kind: 'internal',
      code: 'sources.unreadable',
      message:
        'What is stored of a tool source does not open. The account store was damaged; restore a backup.',
    }),
  badUrl: () =>
    new PlatformError({
      kind: 'invalid_argument',
      code: 'sources.bad_url',
      message:
        'The address of a tool source is an https URL without user name, password and fragment, of at most 2048 ' +
        'characters. Plain http works only for hosts that the operator lists in JELLYFAAS_MCP_ALLOWED_HOSTS.',
    }),
  nameTaken: () =>
    new PlatformError({
      kind: 'already_exists',
      code: 'sources.name_taken',
      message: 'You have a tool source of this name. Choose another name, or remove the old one.',
    }),
  tooMany: (max: number) =>
    new PlatformError({
      kind: 'resource_exhausted',
      code: 'sources.too_many',
      message: `An account can have ${max} tool sources. Remove one that you no longer use.`,
    }),
  nothingApproved: (name: string) =>
    new PlatformError({
      kind: 'failed_precondition',
      code: 'sources.nothing_approved',
      message:
        `No tool that the source ${name} has now is approved: it is new, or its tools have changed. ` +
        `Read and approve them with "jellyfaas mcp approve ${name}".`,
    }),
  tooManyTools: (name: string, max: number) =>
    new PlatformError({
      kind: 'bad_gateway',
      code: 'sources.too_many_tools',
      owner: 'provider',
      message: `The server of the source ${name} lists more than ${max} tools, or no end of them. Use one that offers fewer.`,
    }),
  refusedAddress: (name: string) =>
    new PlatformError({
      kind: 'failed_precondition',
      code: 'sources.refused_address',
      message:
        `The address of the source ${name} is not used: it is not https on port 443 of a public host. ` +
        'The operator can allow a host with JELLYFAAS_MCP_ALLOWED_HOSTS.',
    }),
  refusedToken: (name: string) =>
    new PlatformError({
      kind: 'failed_precondition',
      code: 'sources.refused_token',
      message: `The server of the source ${name} does not let us in. Remove the source and add it with a valid token.`,
    }),
  redirected: (name: string) =>
    new PlatformError({
      kind: 'bad_gateway',
      code: 'sources.redirect_refused',
      owner: 'provider',
      message: `The server of the source ${name} redirects to another address, which is never followed. Add the source with its final URL.`,
    }),
  unreachable: (name: string) =>
    new PlatformError({
      kind: 'bad_gateway',
      code: 'sources.unreachable',
      owner: 'provider',
      message: `The server of the source ${name} cannot be reached, or fails. Try again later, or ask without it.`,
    }),
  timeout: (name: string) =>
    new PlatformError({
      kind: 'deadline_exceeded',
      code: 'sources.timeout',
      owner: 'provider',
      message: `The server of the source ${name} did not answer in time. Try again later, or ask without it.`,
    }),
  tooLarge: (name: string) =>
    new PlatformError({
      kind: 'bad_gateway',
      code: 'sources.answer_too_large',
      owner: 'provider',
      message: `The answer of the source ${name} was larger than allowed and was cut off.`,
    }),
  badAnswer: (name: string) =>
    new PlatformError({
      kind: 'bad_gateway',
      code: 'sources.bad_answer',
      owner: 'provider',
      message: `The server of the source ${name} does not answer as the Model Context Protocol says, or broke off. Check its URL.`,
    }),
};
