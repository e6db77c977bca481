import functions_framework


@functions_framework.http
def warm_up(request):
    return {"query": request.args.to_dict(), "body": request.get_json()}
