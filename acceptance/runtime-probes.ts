import { fixtureFiles, templateFiles } from '../testkit/index.ts';

export const RUNTIMES = ['nodejs20', 'nodejs22', 'nodejs24', 'python312', 'go122', 'java21'] as const;
export type Runtime = (typeof RUNTIMES)[number];

type Files = Record<string, string | Uint8Array>;

/**
 * The same small function in every language, by the query's `do`: `raw` answers the body, `log` prints what
 * `text` says, `stream` flushes a first piece and then goes on for a minute.
 */
export function probeFiles(runtime: Runtime, shortname: string): Files {
  if (runtime.startsWith('nodejs')) return fixtureFiles('probe', { runtime, shortname });
  return { ...templateFiles(runtime, { shortname }), ...SOURCES[runtime] };
}

const SOURCES: Partial<Record<Runtime, Files>> = {
  python312: {
    'main.py': `import sys, time
import functions_framework

@functions_framework.http
def example(request):
    action = request.args["do"]
    if action == "raw":
        return request.get_data()
    if action == "log":
        print(request.args["text"])
        return "logged"
    def pieces():
        yield "first"
        time.sleep(60)
    return pieces()
`,
  },
  go122: {
    'function.go': `package greeter

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"
)

func init() { functions.HTTP("Example", probe) }

func probe(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Query().Get("do") {
	case "raw":
		_, _ = io.Copy(w, r.Body)
	case "log":
		fmt.Println(r.URL.Query().Get("text"))
	case "stream":
		_, _ = w.Write([]byte("first"))
		w.(http.Flusher).Flush()
		time.Sleep(time.Minute)
	}
}
`,
  },
  java21: {
    'src/main/java/jfv1/Example.java': `package jfv1;

import com.google.cloud.functions.HttpFunction;
import com.google.cloud.functions.HttpRequest;
import com.google.cloud.functions.HttpResponse;

public class Example implements HttpFunction {
  @Override
  public void service(HttpRequest request, HttpResponse response) throws Exception {
    switch (request.getFirstQueryParameter("do").get()) {
      case "raw" -> request.getInputStream().transferTo(response.getOutputStream());
      case "log" -> System.out.println(request.getFirstQueryParameter("text").get());
      default -> {
        response.getOutputStream().write("first".getBytes());
        response.getOutputStream().flush();
        Thread.sleep(60_000);
      }
    }
  }
}
`,
  },
};

export const NO_SUCH_PACKAGE = 'jellyfaas-package-that-does-not-exist';

/** A template that asks its registry for a package that nobody has. */
export function withUnknownDependency(runtime: Runtime, shortname: string): Files {
  const files = templateFiles(runtime, { shortname });
  const edit = (path: string, from: string, to: string): Files => ({
    ...files,
    [path]: String(files[path]).replace(from, to),
  });
  switch (runtime) {
    case 'python312':
      return { ...files, 'requirements.txt': NO_SUCH_PACKAGE };
    case 'go122':
      return edit('function.go', '"net/http"', `"net/http"\n\n\t_ "example.invalid/${NO_SUCH_PACKAGE}"`);
    case 'java21':
      return edit(
        'pom.xml',
        '</dependencies>',
        `<dependency><groupId>invalid</groupId><artifactId>${NO_SUCH_PACKAGE}</artifactId><version>1</version></dependency></dependencies>`,
      );
    case 'nodejs20':
    case 'nodejs22':
    case 'nodejs24':
      return edit('package.json', '"dependencies": {', `"dependencies": { "${NO_SUCH_PACKAGE}": "1",`);
  }
}
