package jellyfaas;

import com.google.cloud.functions.BackgroundFunction;
import com.google.cloud.functions.CloudEventsFunction;
import com.google.cloud.functions.HttpFunction;
import com.google.cloud.functions.HttpRequest;
import com.google.cloud.functions.HttpResponse;
import com.google.cloud.functions.RawBackgroundFunction;
import com.google.cloud.functions.TypedFunction;
import com.google.cloud.functions.invoker.BackgroundFunctionExecutor;
import com.google.cloud.functions.invoker.HttpFunctionExecutor;
import com.google.cloud.functions.invoker.TypedFunctionExecutor;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.Writer;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.net.StandardProtocolFamily;
import java.net.URL;
import java.net.URLClassLoader;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.eclipse.jetty.http.MultiPartConfig;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.handler.EagerContentHandler;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.unixdomain.server.UnixDomainServerConnector;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.QueuedThreadPool;

/**
 * Boots a Java worker ahead of its claim: Jetty with the Functions Framework's executors on the Unix socket,
 * warmed by requests to a function of our own. The claim then loads the uploaded class and puts it in place.
 *
 * <p>It assembles what the framework's {@code Invoker} does, because that only listens on TCP and only with a
 * function already loaded. One difference: /favicon.ico and /robots.txt reach the function like any path.
 */
public final class Launcher {
  private static final Path SOCKET = Path.of("/run/fn/http.sock");
  private static final Path CLASSES = Path.of("/app/classes");
  private static final Path LIBRARIES = Path.of("/opt/jellyfaas/lib");
  private static final int CONTROL_FD = 3;
  /** Requests at a time, plus Jetty's own acceptor and selectors. */
  private static final int THREADS = 60;

  /** Kept, because the log manager holds loggers only weakly. */
  private static final Logger JETTY_LOG = Logger.getLogger("org.eclipse.jetty");

  private Launcher() {}

  public static void main(String[] args) throws Exception {
    JETTY_LOG.setLevel(Level.WARNING);
    Slot slot = new Slot();
    Server server = startServer(slot);
    slot.install(HttpFunctionExecutor.forClass(WarmUp.class), server);
    WarmUp.call();

    FileDescriptor control = descriptor(CONTROL_FD);
    PrintStream say = new PrintStream(new FileOutputStream(control), true, StandardCharsets.UTF_8);
    say.println("{\"t\":\"up\"}");
    Claim claim = Claim.read(new FileInputStream(control));
    try {
      if (claim.egress()) {
        EgressForwarder.start();
      }
      slot.install(load(claim.entrypoint()), server);
      say.println("{\"t\":\"ready\"}");
    } catch (Throwable thrown) {
      JsonObject failed = new JsonObject();
      failed.addProperty("t", "failed");
      failed.addProperty("message", reason(thrown));
      say.println(failed);
      System.exit(1);
    }
  }

  private static Server startServer(Slot slot) throws Exception {
    QueuedThreadPool threads = new QueuedThreadPool(THREADS);
    threads.setDaemon(false);
    Server server = new Server(threads);
    server.setErrorHandler(
        new ErrorHandler() {
          @Override
          protected void generateResponse(
              Request request,
              Response response,
              int code,
              String message,
              Throwable cause,
              Callback callback) {
            callback.succeeded();
          }
        });
    HttpConnectionFactory http = new HttpConnectionFactory(new HttpConfiguration());
    UnixDomainServerConnector connector = new UnixDomainServerConnector(server, 1, 1, http);
    connector.setUnixDomainPath(SOCKET);
    // The gateway keeps connections and decides how long a call may take.
    connector.setIdleTimeout(0);
    server.addConnector(connector);
    // The gateway bounds bodies; parts stay in memory.
    MultiPartConfig inMemory =
        new MultiPartConfig.Builder().maxMemoryPartSize(-1).maxPartSize(-1).maxSize(-1).build();
    EagerContentHandler content =
        new EagerContentHandler(new EagerContentHandler.MultiPartContentLoaderFactory(inMemory));
    content.setHandler(slot);
    server.setHandler(content);
    server.start();
    return server;
  }

  private static Handler load(String entrypoint) throws Exception {
    List<URL> path = new ArrayList<>();
    path.add(CLASSES.toUri().toURL());
    if (Files.isDirectory(LIBRARIES)) {
      try (DirectoryStream<Path> jars = Files.newDirectoryStream(LIBRARIES, "*.jar")) {
        for (Path jar : jars) {
          path.add(jar.toUri().toURL());
        }
      }
    }
    ClassLoader loader = new URLClassLoader(path.toArray(new URL[0]), new ApiLoader());
    Thread.currentThread().setContextClassLoader(loader);
    Class<?> found = find(loader, entrypoint);
    if (HttpFunction.class.isAssignableFrom(found)) {
      return HttpFunctionExecutor.forClass(found);
    }
    if (TypedFunction.class.isAssignableFrom(found)) {
      return TypedFunctionExecutor.forClass(found);
    }
    if (BackgroundFunction.class.isAssignableFrom(found)
        || RawBackgroundFunction.class.isAssignableFrom(found)
        || CloudEventsFunction.class.isAssignableFrom(found)) {
      return BackgroundFunctionExecutor.forClass(found);
    }
    throw new IllegalArgumentException(
        "class " + entrypoint + " implements no interface of com.google.cloud.functions; a function for HTTP"
            + " calls implements HttpFunction");
  }

  /** A nested class may be named with dots, like in source: a.B.C is a.B$C to the class loader. */
  private static Class<?> find(ClassLoader loader, String entrypoint) {
    String name = entrypoint;
    while (true) {
      try {
        return loader.loadClass(name);
      } catch (ClassNotFoundException notFound) {
        int dot = name.lastIndexOf('.');
        if (dot < 0) {
          throw new IllegalArgumentException(
              "there is no class " + entrypoint + "; the entrypoint is the full name of a class, with its package");
        }
        name = name.substring(0, dot) + '$' + name.substring(dot + 1);
      }
    }
  }

  /** Constructors run by reflection hide what they threw. */
  private static String reason(Throwable thrown) {
    Throwable cause = thrown;
    while (cause.getCause() != null
        && (cause instanceof InvocationTargetException || cause.getClass() == RuntimeException.class)) {
      cause = cause.getCause();
    }
    return cause instanceof IllegalArgumentException && cause.getMessage() != null
        ? cause.getMessage()
        : cause.toString();
  }

  /** Java has no public way to use an inherited descriptor; opening /proc/self/fd/3 fails for sockets. */
  private static FileDescriptor descriptor(int number) throws ReflectiveOperationException {
    Constructor<FileDescriptor> constructor = FileDescriptor.class.getDeclaredConstructor(int.class);
    constructor.setAccessible(true);
    return constructor.newInstance(number);
  }

  private record Claim(String entrypoint, boolean egress) {
    static Claim read(InputStream control) throws IOException {
      BufferedReader lines =
          new BufferedReader(new InputStreamReader(control, StandardCharsets.UTF_8));
      JsonObject claim = JsonParser.parseString(lines.readLine()).getAsJsonObject();
      return new Claim(claim.get("entrypoint").getAsString(), claim.get("egress").getAsBoolean());
    }
  }

  /** Where the function goes; requests reach it from the moment it is installed. */
  private static final class Slot extends Handler.Abstract {
    private volatile Handler function;

    void install(Handler handler, Server server) throws Exception {
      handler.setServer(server);
      handler.start();
      function = handler;
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) throws Exception {
      return function.handle(request, response, callback);
    }
  }

  /** Lets user code see the JDK and the framework's API, and not Jetty, Gson or whatever else runs the worker. */
  private static final class ApiLoader extends ClassLoader {
    ApiLoader() {
      super(ClassLoader.getPlatformClassLoader());
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
      if (isDirectlyIn("com.google.cloud.functions.", name) || isDirectlyIn("io.cloudevents.", name)) {
        return Launcher.class.getClassLoader().loadClass(name);
      }
      throw new ClassNotFoundException(name);
    }

    private static boolean isDirectlyIn(String prefix, String name) {
      return name.startsWith(prefix) && Character.isUpperCase(name.charAt(prefix.length()));
    }
  }

  /** Called before the claim, so that a first call does not pay for loading the server's classes. */
  public static final class WarmUp implements HttpFunction {
    private static final int ROUNDS = 20;

    @Override
    public void service(HttpRequest request, HttpResponse response) throws IOException {
      request.getQueryParameters();
      request.getReader().transferTo(Writer.nullWriter());
      response.setContentType("application/json");
      response.appendHeader("x-warm-up", "1");
      response.getWriter().write("{}");
    }

    static void call() throws IOException {
      byte[] requests =
          ("GET /?name=x HTTP/1.1\r\nHost: x\r\n\r\n"
                  + "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
              .repeat(ROUNDS)
              .concat("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
              .getBytes(StandardCharsets.US_ASCII);
      try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
        channel.connect(UnixDomainSocketAddress.of(SOCKET));
        channel.write(ByteBuffer.wrap(requests));
        ByteBuffer answers = ByteBuffer.allocate(16 * 1024);
        while (channel.read(answers) >= 0) {
          answers.clear();
        }
      }
    }
  }
}
