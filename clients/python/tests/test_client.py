"""Against a running platform: JELLYFAAS_URL, JELLYFAAS_API_KEY and the functions of acceptance/calling-platform.ts."""

import io
import os
import threading
import unittest
from http.server import BaseHTTPRequestHandler, HTTPServer

from jellyfaas_client import AIClient, CallInput, Client, Config, JellyFaaSError, jellyfaas

URL = os.environ["JELLYFAAS_URL"]
KEY = os.environ["JELLYFAAS_API_KEY"]
HELLO = {"greeting": "hello, Ada!"}


class ClientTest(unittest.TestCase):
    def setUp(self):
        self.client = jellyfaas(url=URL, api_key=KEY)

    def test_invoke_decodes_json_and_bytes(self):
        self.assertEqual(self.client.invoke("greeter", query={"name": "Ada"}), HELLO)
        self.assertEqual(self.client.invoke("sum-up", json={"numbers": [1, 2, 3]}), {"sum": 6})
        self.assertEqual(self.client.invoke("reverse", file=b"desserts"), b"stressed")
        self.assertEqual(self.client.invoke("reverse", file=io.BytesIO(b"desserts")), b"stressed")

    def test_steps_do_the_same(self):
        config = Config(KEY, url=URL)
        self.assertIn("token", config.validate())
        greeter = Client(config).set_version(1).lookup_function("greeter")
        self.assertEqual(greeter.set_function_query_params({"name": "Ada"}).invoke(), HELLO)
        total = Client(config).lookup_function("sum-up")
        self.assertEqual(total.set_function_json_body({"numbers": [1, 2, 3]}).invoke(), {"sum": 6})
        reverse = Client(config).lookup_function("reverse")
        self.assertEqual(reverse.set_function_file_body(b"desserts").invoke(), b"stressed")

    def test_steps_refuse_what_the_function_does_not_take(self):
        greeter = Client(Config(KEY, url=URL)).lookup_function("greeter")
        for wrong in (
            lambda: greeter.set_function_query_params({}),
            lambda: greeter.set_function_json_body({}),
            greeter.invoke,
            Client(Config(KEY, url=URL)).invoke,
        ):
            with self.assertRaises(JellyFaaSError) as caught:
                wrong()
            self.assertEqual(caught.exception.error_id, "sdk.misuse")

    def test_call_gives_the_answer_whatever_its_status(self):
        for status in (200, 403, 404, 500):
            answer = self.client.call("greeter", CallInput(query={"name": "Ada", "status": status}))
            self.assertEqual(answer.status, status)
            self.assertIn(b"hello, Ada!", answer.body)

    def test_sql_databases_keep_rows_and_answer_questions(self):
        shop = self.client.sql("python-shop")
        shop.create()
        self.assertIn("python-shop", [one["name"] for one in self.client.list_sql()])
        schema = "CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT, raw BLOB)"
        self.assertEqual(shop.migrate([("001", schema)]), ["001"])
        self.assertEqual(shop.migrate([("001", schema)]), [])
        big = 2**60
        shop.batch([("INSERT INTO orders VALUES (?, ?, ?)", [big, "Ada", b"\x00\xff"])])
        found = shop.query("SELECT * FROM orders WHERE id = :id", {"id": big}, read_only=True)
        self.assertEqual(found["rows"], [{"id": big, "customer": "Ada", "raw": b"\x00\xff"}])
        self.assertEqual(shop.import_("id,customer\n1,Ben\n", table="orders"), 1)
        names = [row["customer"] for row in shop.stream("SELECT customer FROM orders ORDER BY id")]
        self.assertEqual(names, ["Ben", "Ada"])
        self.assertEqual([table["name"] for table in shop.schema()], ["orders"])
        self.assertIn("1,Ben,", shop.export(table="orders"))
        answer = shop.ask("How many orders are there?", trace=True)
        self.assertEqual((answer["answer"], answer["rowCount"]), ("There are some orders.", 1))
        *texts, last = self.client.ask_sql_stream("How many?", connection="jellyfaas://python-shop")
        self.assertEqual("".join(event["text"] for event in texts), last["answer"])
        self.assertEqual(len(shop.drop()["receipt"].split(".")), 3)
        with self.assertRaises(JellyFaaSError) as caught:
            shop.describe()
        self.assertEqual(caught.exception.error_id, "database.not_found")

    def test_errors_have_a_code_and_hide_what_was_sent(self):
        cases = (
            (lambda: self.client.invoke("no-such-function"), 404, "function.not_found"),
            (lambda: jellyfaas(url=URL, api_key="sk_wrong").validate(), 401, "auth.invalid_key"),
            (lambda: jellyfaas(url="http://127.0.0.1:9", api_key="sk_x").validate(), 0, "sdk.unreachable"),
            (lambda: self.client.invoke("greeter", query={"name": "Ada", "status": 500}), 500, "http.500"),
        )
        for work, status, error_id in cases:
            with self.assertRaises(JellyFaaSError) as caught:
                work()
            self.assertEqual((caught.exception.status, caught.exception.error_id), (status, error_id))
            self.assertNotIn("Ada", f"{caught.exception!r} {caught.exception}")

    def test_a_refused_token_is_renewed_once(self):
        token = self.client.validate()["token"]
        session = self.client._session
        session._known = type(session._known)("stale", float("inf"))
        self.assertEqual(self.client.invoke("greeter", query={"name": "Ada"}), HELLO)
        self.assertNotEqual(session._known.value, "stale")
        self.assertTrue(token)

    def test_a_redirect_does_not_carry_the_token_away(self):
        arrived = []

        class Elsewhere(BaseHTTPRequestHandler):
            def do_GET(self):
                arrived.append(self.headers)
                self.send_response(200)
                self.end_headers()

        server = HTTPServer(("127.0.0.1", 0), Elsewhere)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            location = f"http://127.0.0.1:{server.server_port}/"
            with self.assertRaises(JellyFaaSError) as caught:
                self.client.invoke("greeter", query={"name": "Ada", "location": location})
        finally:
            server.shutdown()
            server.server_close()
        self.assertEqual((caught.exception.status, arrived), (302, []))

    def test_ask_answers_with_and_without_functions(self):
        self.assertEqual(self.client.ask("What is two and two?")["answer"], "Two and two is four.")
        greeted = self.client.ask("Greet Ada.", functions=["greeter"], trace=True)
        self.assertEqual(greeted["answer"], "It says hello, Ada!")
        self.assertEqual([step["type"] for step in greeted["trace"]], ["tool-call", "tool-result"])
        ai = AIClient(Config(KEY, url=URL))
        self.assertEqual(ai.query("What is two and two?")["answer"], "Two and two is four.")
        self.assertEqual(ai.lookup_function("greeter").query("Greet Ada.")["answer"], "It says hello, Ada!")

    def test_ask_stream_tells_steps_text_and_answer(self):
        events = list(self.client.ask_stream("Greet Ada.", functions=["greeter"], trace=True))
        types = [event["type"] for event in events]
        self.assertEqual((types[:2], types[-1]), (["tool-call", "tool-result"], "answer"))
        text = "".join(event["text"] for event in events if event["type"] == "text")
        self.assertEqual(text, "It says hello, Ada!")
        self.assertEqual(events[-1]["answer"], text)

    def test_ask_stream_can_be_left(self):
        events = self.client.ask_stream("hang, please")
        self.assertEqual(next(events)["type"], "text")
        events.close()

    def test_ask_fails_alike_streamed_or_not(self):
        for work in (
            lambda: self.client.ask("Greet.", functions=["no-such-function"]),
            lambda: list(self.client.ask_stream("Greet.", functions=["no-such-function"])),
        ):
            with self.assertRaises(JellyFaaSError) as caught:
                work()
            self.assertEqual((caught.exception.status, caught.exception.error_id), (404, "function.not_found"))

    def test_vectors_live_answer_and_are_dropped(self):
        manuals = self.client.vectors("python-manuals")
        self.assertEqual(manuals.create()["kind"], "sealed")
        self.assertIn("python-manuals", [one["name"] for one in self.client.list_vectors()])
        text = "The red valve stops the pump. It is behind the panel."
        seen = []
        done = manuals.upload(
            text.encode(), file_name="pumps.txt", metadata={"year": 2026}, on_progress=seen.append
        )
        self.assertEqual((done["status"], seen[-1]), ("completed", done))
        self.assertEqual(manuals.upsert([{"id": "fan", "text": "Fans need no care."}])["inserted"], 1)
        hit = manuals.query("What stops the pump?", top_k=1, filter={"year": 2026})["hits"][0]
        self.assertEqual(hit["text"], text)
        for answer in (
            manuals.ask("What stops the pump?", top_k=1),
            list(manuals.ask_stream("What stops the pump?", top_k=1))[-1],
        ):
            self.assertEqual(answer["answer"], "The red valve stops it. [1]")
            self.assertEqual(answer["citations"][0]["quote"], text)
        self.assertEqual(manuals.delete(ids=["fan"]), 1)
        self.assertEqual([one["documentId"] for one in manuals.documents()], [done["documentId"]])
        manuals.delete_document(done["documentId"])
        self.assertEqual(manuals.describe()["documents"], 0)
        self.assertEqual(len(manuals.drop()["receipt"].split(".")), 3)
        with self.assertRaises(JellyFaaSError) as caught:
            manuals.describe()
        self.assertEqual(caught.exception.error_id, "database.not_found")

    def test_vectors_tell_why_a_document_was_not_taken(self):
        broken = self.client.vectors("python-broken")
        broken.create()
        with self.assertRaises(JellyFaaSError) as caught:
            broken.upload(io.BytesIO(b"%PDF-1.7 CANARY"), file_name="broken.pdf")
        self.assertTrue(caught.exception.error_id.startswith("documents."))
        self.assertNotIn("CANARY", f"{caught.exception!r} {caught.exception}")
        broken.drop()
