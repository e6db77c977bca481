import functions_framework


@functions_framework.http
def example(request):
    name = request.args.get("name")
    if not name:
        return {"error": 'the query parameter "name" is missing'}, 400
    return {"greeting": f"hello, {name}!"}
