package jfv1;

import com.google.cloud.functions.HttpFunction;
import com.google.cloud.functions.HttpRequest;
import com.google.cloud.functions.HttpResponse;
import java.io.IOException;
import java.util.Optional;

/** Answers with a greeting for the name in the query. */
public class Example implements HttpFunction {
  @Override
  public void service(HttpRequest request, HttpResponse response) throws IOException {
    Optional<String> name = request.getFirstQueryParameter("name").filter(value -> !value.isEmpty());
    if (name.isEmpty()) {
      response.setStatusCode(400);
      response.getWriter().write("query parameter name is required");
      return;
    }
    response.setContentType("application/json");
    response.getWriter().write("{\"greeting\":" + quoted("hello, " + name.get() + "!") + "}");
  }

  /** The text as a JSON string. */
  private static String quoted(String text) {
    StringBuilder json = new StringBuilder("\"");
    for (char character : text.toCharArray()) {
      if (character == '"' || character == '\\') {
        json.append('\\').append(character);
      } else if (character < ' ') {
        json.append(String.format("\\u%04x", (int) character));
      } else {
        json.append(character);
      }
    }
    return json.append('"').toString();
  }
}
